import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { autoBelow, noSweep, staff } from "../support/company-config.ts";
import { leavesNothingBehind, temporaryFolder } from "../support/leftover-processes.ts";
import { runProgram, startProgram } from "../support/program.ts";

leavesNothingBehind({ sideBySide: true });

const config = JSON.stringify({ identities: staff, policies: [autoBelow("auto:")] });

test.concurrent("the first variable of a .env with a byte order mark is read", async () => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, ".env"), "\uFEFFJIT_CONFIG=other.yaml\r\nRATE_LIMIT_PER_MINUTE=77\r\n");
  writeFileSync(join(folder, "other.yaml"), config);
  const program = await startProgram({ folder, env: noSweep });
  expect((await program.logged("configuration loaded"))["file"]).toBe("other.yaml");
  await program.stop();
});

test.concurrent("a .env that cannot be read completely stops the start with name and line", async () => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, ".env"), "LOG_LEVEL=debug\nHOST 127.0.0.1\n");
  const ended = await runProgram({ folder, config });
  expect(ended).toMatchObject({
    code: 1,
    out: "",
    error: "jit-access did not start:\n  .env:2 is not of the form NAME=value; a comment begins with #.\n",
  });
});

test.concurrent("a configuration file is read in the encoding it has, or refused by name", async () => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, "jit.yaml"), Buffer.from(`\uFEFF${config}`, "utf16le"));
  const program = await startProgram({ folder, env: noSweep });
  expect(await program.logged("configuration loaded")).toMatchObject({ identities: staff.length });
  writeFileSync(join(folder, "jit.yaml"), Buffer.from(config.replace("auto", "\xe4uto"), "latin1"));
  program.hup();
  const refused = await program.logged("reload rejected, configuration unchanged");
  expect(refused["problems"]).toEqual(["jit.yaml is not UTF-8 in line 1; save it as UTF-8."]);
  await program.stop({ expectedErrors: 1 });
});

test.concurrent("an admin key file that is damaged stops the start; the key it held goes on", async () => {
  const first = await startProgram({ config, env: noSweep });
  const file = join(first.folder, "data/admin-key");
  const key = readFileSync(file, "utf8").trim();
  await first.stop();
  for (const damaged of ["", key.slice(0, -1), `${key}\n${key}\n`, "\0"]) {
    writeFileSync(file, damaged);
    const ended = await runProgram({ folder: first.folder, env: noSweep });
    expect(ended.code).toBe(1);
    expect(ended.error).toMatch(/data\/admin-key (holds no complete key|has a NUL byte)/);
    expect(ended.error).not.toContain(key.slice(8, 40));
  }
  writeFileSync(file, Buffer.from(`\uFEFF${key}\r\n`, "utf16le"));
  const second = await startProgram({
    folder: first.folder,
    env: { ...noSweep, JIT_ADMIN_KEY: key },
  });
  expect((await second.admin.call("GET", "/api/v1/api-keys")).body.data).toHaveLength(1);
  await second.stop();
});
