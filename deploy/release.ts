import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";

/*
 * `npm run release`: checks that the version in package.json can be released, and tags it. `--dry-run` does everything
 * but the tag. It works on the repository in the current folder, and pushes nothing.
 */

const folder = process.cwd();
const isDryRun = process.argv.slice(2).includes("--dry-run");
const unknown = process.argv.slice(2).filter((word) => word !== "--dry-run");

interface Manifest {
  readonly version: string;
}
interface Lock extends Manifest {
  readonly packages: { readonly ""?: Manifest };
}

const read = (name: string): string => readFileSync(join(folder, name), "utf8");
const say = (line: string): void => void process.stdout.write(`${line}\n`);

function git(...args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync("git", [...args], { cwd: folder, encoding: "utf8" });
  if (status !== 0) fail([`git ${args.join(" ")} failed: ${stderr.trim()}`]);
  return stdout.trim();
}

function fail(problems: readonly string[]): never {
  for (const problem of problems) process.stderr.write(`release: ${problem}\n`);
  process.exit(1);
}

/** What stands in the way of this version, all of it at once. */
function problemsOf(version: string, tag: string): readonly string[] {
  const lock: Lock = JSON.parse(read("package-lock.json"));
  const branch = git("rev-parse", "--abbrev-ref", "HEAD");
  const changed = git("status", "--porcelain");
  return [
    branch === "main" ? "" : `The branch is ${branch}. Switch to main.`,
    changed === "" ? "" : `The working tree has changes. Commit or stash them:\n${changed}`,
    /^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?$/.test(version) ? "" : `"${version}" is no version such as 1.2.3.`,
    lock.version === version && lock.packages[""]?.version === version
      ? ""
      : `package-lock.json has another version than package.json (${version}). Run npm install.`,
    git("tag", "--list", tag) === "" ? "" : `The tag ${tag} exists. Raise the version in package.json.`,
    changelogProblem(version),
  ].filter((problem) => problem !== "");
}

/** The changelog must have a dated entry with content for this version, before those of older ones. */
function changelogProblem(version: string): string {
  const [, ...entries] = read("CHANGELOG.md").split(/^## /m);
  const [latest = ""] = entries.filter((entry) => !entry.startsWith("[Unreleased]"));
  const [heading = "", ...lines] = latest.split("\n");
  const wanted = `## [${version}] - YYYY-MM-DD`;
  const [, date] = /^ - (\d{4}-\d{2}-\d{2})$/.exec(heading.replace(`[${version}]`, "")) ?? [];
  if (!heading.startsWith(`[${version}]`) || date === undefined || Number.isNaN(Date.parse(date))) {
    return `The latest entry of CHANGELOG.md must be "${wanted}". Move what is released there.`;
  }
  return lines.some((line) => line.startsWith("- "))
    ? ""
    : `The entry ${version} of CHANGELOG.md is empty. Say what has changed.`;
}

function runScript(...args: readonly string[]): void {
  say(`npm ${args.join(" ")}`);
  const { status } = spawnSync("npm", [...args], { cwd: folder, stdio: "inherit" });
  if (status !== 0) fail([`npm ${args.join(" ")} failed. Nothing was tagged.`]);
}

if (unknown.length > 0) fail([`unknown argument ${unknown.join(" ")}; the only one is --dry-run`]);
const { version }: Manifest = JSON.parse(read("package.json"));
const tag = `v${version}`;
const problems = problemsOf(version, tag);
if (problems.length > 0) fail(problems);
const commit = git("rev-parse", "HEAD");
runScript("run", "check");
runScript("test");
const changedMeanwhile = git("rev-parse", "HEAD") !== commit || git("status", "--porcelain") !== "";
if (changedMeanwhile) fail(["The working tree changed while the tests ran. Nothing was tagged."]);
if (isDryRun) {
  say(`Everything is in order. Without --dry-run, ${tag} would be tagged.`);
} else {
  git("tag", "--annotate", tag, "--message", `jit-access ${version}`);
  say(`Tagged ${tag}. To publish it: git push origin main ${tag}`);
}
