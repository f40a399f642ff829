// Packs @errand/client as a release does and unpacks it into node_modules, so that the suite tests what users install.
import { execFileSync } from "node:child_process";
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";

const folder = import.meta.dirname;
const npm = (...args) => execFileSync("npm", args, { cwd: folder, encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });
const [{ filename }] = JSON.parse(npm("pack", "--json", "../../../web/client"));
const target = join(folder, "node_modules", "@errand", "client");
rmSync(target, { recursive: true, force: true });
mkdirSync(target, { recursive: true });
execFileSync("tar", ["-xzf", join(folder, filename), "-C", target, "--strip-components=1"]);
rmSync(join(folder, filename));
