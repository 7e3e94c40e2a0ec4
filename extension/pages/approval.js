// The question of one program, `approval.html#ID`.

import { start } from "./page.js";

await start(`approval ${location.hash.slice(1)}`, "approval");
