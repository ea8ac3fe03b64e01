/* The npm packages of tests/clients, which run.sh has installed. */
import { createRequire } from "node:module";
import path from "node:path";

export const load = createRequire(path.join(process.env.ERX_CLIENTS, "package.json"));
