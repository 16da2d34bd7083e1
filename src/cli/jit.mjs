#!/usr/bin/env node
// Plain JavaScript, because an old Node cannot read TypeScript. On an old Node it starts a newer one, which `npm ci`
// installs on Linux. The package of `npm run pack:cli` is one file of plain JavaScript and does not use this launcher.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import module from "node:module";
import { constants } from "node:os";
import { sep } from "node:path";
import { fileURLToPath } from "node:url";

const isInstalled = fileURLToPath(import.meta.url)
  .split(sep)
  .includes("node_modules");
const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);

if (isInstalled) {
  process.stderr.write(
    "jit: This is the service's own package, and Node runs no TypeScript below node_modules: in its clone run npm run pack:cli, then npm i -g ./dist/jit-cli-*.tgz. (usage)\n",
  );
  process.exitCode = 2;
} else if (major > 22 || (major === 22 && minor >= 18)) {
  module.enableCompileCache?.();
  await import("./jit.ts");
} else {
  const node = fileURLToPath(
    new URL(`../../node_modules/node-${process.platform}-${process.arch}/bin/node`, import.meta.url),
  );
  if (existsSync(node) && node !== process.execPath) runAgain(node);
  else {
    process.stderr.write(
      `jit: This is Node ${process.version}, and jit needs 22.18 or newer: run npm ci where jit lies, or install Node 24. (usage)\n`,
    );
    process.exitCode = 2;
  }
}

/** @param {string} node */
function runAgain(node) {
  const child = spawn(node, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], { stdio: "inherit" });
  const isAtTerminal = [process.stdin, process.stdout, process.stderr].some(({ isTTY }) => isTTY);
  for (const signal of ["SIGINT", "SIGQUIT", "SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2"]) {
    process.on(signal, () => {
      // A terminal sends these two to both processes.
      const isAlreadySent = isAtTerminal && (signal === "SIGINT" || signal === "SIGQUIT");
      if (!isAlreadySent) child.kill(signal);
    });
  }
  child.on("error", () => {
    process.stderr.write(
      "jit: The Node beside jit cannot be started: run npm ci again where jit lies. (usage)\n",
    );
    process.exitCode = 2;
  });
  child.on("exit", (code, signal) => {
    process.exitCode = code ?? 128 + constants.signals[signal];
  });
}
