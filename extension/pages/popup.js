// The popup.

import { start } from "./page.js";

await start("ui", "popup");
