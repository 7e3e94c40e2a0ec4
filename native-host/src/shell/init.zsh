# Rolecall in zsh: use-role, and the role in the prompt.
use-role() {
  local text
  text="$(@PROGRAM@ env --shell zsh "$@")" || return
  eval "$text"
}

# Sets ROLECALL_SEGMENT to "[role 42m] " while a role is active. Starts no process.
zmodload zsh/datetime
_rolecall_segment() {
  ROLECALL_SEGMENT=
  if [[ -n "${ROLECALL_EXPIRATION-}" ]]; then
    local left=$(((ROLECALL_EXPIRATION - EPOCHSECONDS) / 60))
    if ((ROLECALL_EXPIRATION < EPOCHSECONDS)); then left=expired; else left="${left}m"; fi
    ROLECALL_SEGMENT="[${ROLECALL_PROFILE} ${left}] "
  fi
}

if [[ "${ROLECALL_PROMPT-}" != off && -z "${precmd_functions[(r)_rolecall_segment]-}" ]]; then
  setopt prompt_subst
  precmd_functions+=(_rolecall_segment)
  PROMPT='${ROLECALL_SEGMENT}'"${PROMPT-}"
fi

# Completion needs compinit, which most set-ups have run by now.
if ! (($+functions[compdef])); then
  autoload -Uz compinit && compinit
fi
