// A hand-written popup with the roles from the browser's storage, as switch-role extensions do it: every key filters them by
// substring, and every match is an element.

const api = globalThis.browser ?? globalThis.chrome;
const list = document.getElementById("roles");
const search = document.getElementById("search");
let roles = [];

function show() {
  const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
  list.replaceChildren(...roles.filter(({ text }) => words.every((word) => text.includes(word))).map(({ account, name }) => {
    const option = document.createElement("li");
    option.setAttribute("role", "option");
    option.className = "option";
    const role = option.appendChild(document.createElement("span"));
    role.className = "role";
    role.textContent = name;
    const under = option.appendChild(document.createElement("span"));
    under.className = "account";
    under.textContent = account;
    return option;
  }));
}

search.addEventListener("input", show);
api.storage.local.get("peer").then(({ peer }) => {
  roles = peer.map(([account, name]) => ({ account, name, text: `${account} ${name}`.toLowerCase() }));
  show();
  search.focus();
});
