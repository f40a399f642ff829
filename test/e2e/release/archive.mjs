// Builds the release archive of this platform, and unpacks it as users do.
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { arch, platform, tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const root = join(import.meta.dirname, "..", "..", "..");
const goArch = { x64: "amd64", arm64: "arm64" };

/** Builds the archive. */
export async function buildArchive() {
  const out = await mkdtemp(join(tmpdir(), "errand-archive-"));
  const flags = ["-version", "1.2.3", "-date", "2026-01-02T03:04:05Z", "-ldflags", "-s -w -X main.version=1.2.3"];
  await run("go", ["run", "./release", ...flags, "-platforms", `${platform()}/${goArch[arch()]}`, "-out", out], { cwd: root });
  await run("sha256sum", ["--check", "--quiet", "SHA256SUMS"], { cwd: out });
  const file = (await readdir(out)).find((name) => name.endsWith(".tar.gz"));
  return {
    /** Unpacks the archive into a new folder, and returns the folder of its files. */
    async unpack(machine) {
      const folder = join(out, machine);
      await mkdir(folder);
      await run("tar", ["-xzf", join(out, file), "-C", folder, "--strip-components=1"]);
      return folder;
    },
    remove: () => rm(out, { recursive: true }),
  };
}
