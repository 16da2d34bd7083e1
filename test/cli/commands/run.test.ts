import { describe, expect, test } from "vitest";
import { askedBelow, autoBelow, manyCalls, staff } from "../../support/company-config.ts";
import { jit as requests, type Person } from "../../support/api-client.ts";
import { leavesNothingBehind } from "../../support/leftover-processes.ts";
import { sharedProgram, until } from "../../support/program.ts";
import { startJit, type JitProcess } from "../support/run-jit.ts";

leavesNothingBehind();

const program = sharedProgram({
  config: {
    identities: staff,
    policies: [autoBelow("dev:"), askedBelow("db:", { stages: [{ approvers: ["group:dba"] }] })],
  },
  env: manyCalls,
});

const dev = async (): Promise<Person> => program().person("dev");

/** `jit run` of a script in Node, with access to a scope. */
const run = async (scope: string, script: string, ...options: readonly string[]): Promise<JitProcess> => {
  const { key } = await dev();
  const args = ["run", "--scope", scope, "--for", "1h", "--reason", "a job", ...options];
  const command = ["--", process.execPath, "-e", script];
  return startJit([...args, ...command], {
    JIT_URL: program().address,
    JIT_KEY: key,
    JIT_KEY_FILE: "/none",
    OTHER: "kept",
  });
};

/** The current state of the only request for this scope. */
const requestFor = async (scope: string) => {
  const { body } = await (await dev()).call("GET", `${requests}?scope=${scope}`);
  return body.data[0];
};
const statusOf = async (scope: string): Promise<string | undefined> => (await requestFor(scope))?.status;

/** A script that prints a line and runs until a signal ends it. */
const staying = "console.log('up'); setInterval(() => {}, 1000)";
const isUp = ({ said }: JitProcess) => until(() => said.out.includes("up"));

describe("the command", () => {
  test("gets the token in its environment, never the key, and the access ends with it", async () => {
    const script =
      "const { JIT_TOKEN, JIT_REQUEST, JIT_EXPIRES_AT, JIT_KEY, JIT_KEY_FILE, OTHER } = process.env;" +
      "console.log(JSON.stringify({ JIT_TOKEN, JIT_REQUEST, JIT_EXPIRES_AT, JIT_KEY, JIT_KEY_FILE, OTHER, argv: process.argv }))";
    const { code, out, err } = await (await run("read:dev:env", script)).ended;
    expect({ code, err }).toEqual({ code: 0, err: "" });
    const seen = JSON.parse(out);
    const request = await requestFor("read:dev:env");
    expect(seen).toEqual({
      JIT_TOKEN: expect.stringMatching(/^kd_jit_[0-9A-Za-z]{36}$/),
      JIT_REQUEST: request?.id,
      JIT_EXPIRES_AT: request?.expiresAt,
      OTHER: "kept",
      argv: [process.execPath],
    });
    expect(request?.status).toBe("COMPLETED");
    expect((await program().check(seen.JIT_TOKEN, "read:dev:env")).http).toBe(401);
  });

  test("continues when nobody reads our standard error any more", async () => {
    const ran = await run("read:db:deaf", "console.log('ran')");
    await until(() => ran.said.err.includes("waits for"));
    ran.child.stderr?.destroy();
    const { id = "" } = (await requestFor("read:db:deaf")) ?? {};
    await (await program().person("ann")).act(id, "approve");
    expect(await ran.ended).toMatchObject({ code: 0, out: "ran\n" });
    expect(await statusOf("read:db:deaf")).toBe("COMPLETED");
  });

  test("has our standard input, output and error, and its exit code is ours", async () => {
    const { key } = await dev();
    const script = "process.stdin.pipe(process.stdout); console.error('to err'); process.exitCode = 42";
    const args = [
      "run",
      "--scope",
      "read:dev:io",
      "--for",
      "1h",
      "--reason",
      "r",
      "--",
      process.execPath,
      "-e",
      script,
    ];
    const environment = { JIT_URL: program().address, JIT_KEY: key };
    const { code, out, err } = await startJit(args, environment, { input: "through\n" }).ended;
    expect({ code, out, err }).toEqual({ code: 42, out: "through\n", err: "to err\n" });
  });

  test("that is killed exits with 128 + n, and the access is given back", async () => {
    const { code } = await (await run("read:dev:killed", "process.kill(process.pid, 'SIGKILL')")).ended;
    expect(code).toBe(137);
    expect(await statusOf("read:dev:killed")).toBe("COMPLETED");
  });

  test.each([
    ["is not there", "/nowhere/command", 127],
    ["may not be run", import.meta.filename, 126],
  ])("that %s is exit %s, and the access is given back", async (what, command, exit) => {
    const { key } = await dev();
    const scope = `read:dev:${exit}`;
    const args = ["run", "--scope", scope, "--for", "1h", "--reason", what, "--", command];
    const { code, err } = await startJit(args, { JIT_URL: program().address, JIT_KEY: key }).ended;
    expect(code).toBe(exit);
    expect(err).toMatch(/^jit: [^\n]+ \(not_started\)\n$/);
    expect(await statusOf(scope)).toBe("COMPLETED");
  });

  test.each(["SIGTERM", "SIGINT", "SIGHUP"] as const)(
    "gets our %s, ends as it likes, and the access ends with it",
    async (signal) => {
      const scope = `read:dev:${signal}`;
      const running = await run(scope, `process.on('${signal}', () => process.exit(9)); ${staying}`);
      await isUp(running);
      running.child.kill(signal);
      expect((await running.ended).code).toBe(9);
      expect(await statusOf(scope)).toBe("COMPLETED");
    },
  );

  test("that ignores SIGTERM keeps running, without its access", async () => {
    const scope = "read:dev:stubborn";
    const running = await run(
      scope,
      `process.on('SIGTERM', () => {}); process.on('SIGUSR2', () => process.exit(3)); ${staying}`,
    );
    await isUp(running);
    running.child.kill("SIGTERM");
    await until(async () => (await statusOf(scope)) === "COMPLETED");
    expect(running.child.exitCode).toBeNull();
    running.child.kill("SIGUSR2");
    expect((await running.ended).code).toBe(3);
  });
});

describe("access that ends before the command", () => {
  test("is reported on standard error, and the command continues", async () => {
    const running = await run("read:dev:revoked", staying + "; process.on('SIGUSR2', () => process.exit(0))");
    await isUp(running);
    const id = (await requestFor("read:dev:revoked"))?.id ?? "";
    await program().admin.act(id, "revoke", { reason: "enough" });
    await until(() => running.said.err !== "");
    expect(running.said.err).toMatch(
      new RegExp(`^jit: The access ${id} is over \\(REVOKED: enough\\); \\S+ goes on without it\\.\n$`),
    );
    running.child.kill("SIGUSR2");
    expect((await running.ended).code).toBe(0);
  });

  test("ends it with --kill-on-end", async () => {
    const { key } = await dev();
    const args = [
      "run",
      "--scope",
      "read:dev:short",
      "--for",
      "1s",
      "--reason",
      "r",
      "--kill-on-end",
      "--",
      process.execPath,
      "-e",
      staying,
    ];
    const { code, err } = await startJit(args, { JIT_URL: program().address, JIT_KEY: key }).ended;
    expect(code).toBe(143);
    expect(err).toMatch(/is over \(EXPIRED: [^)]+\); \S+ is told to end\.\n$/);
  });
});

describe("access that people have to approve", () => {
  test("is waited for, and then the command runs", async () => {
    const running = await run("read:db:job", "console.log('ran')");
    // The command has read the request once before the decision, and says so.
    await until(() => running.said.err.includes("waits for"));
    const ann = await program().person("ann");
    await ann.act((await requestFor("read:db:job"))?.id ?? "", "approve");
    const { code, out, err } = await running.ended;
    expect({ code, out }).toEqual({ code: 0, out: "ran\n" });
    expect(err).toMatch(/^jit: jit_\w+ waits for 1 more of Ann, Bob, Cid\.\njit: jit_\w+ is approved\.\n$/);
    expect(await statusOf("read:db:job")).toBe("COMPLETED");
  });

  test("and is denied: exit 6, and nothing runs", async () => {
    const running = await run("read:db:denied", "console.log('ran')");
    await until(async () => (await statusOf("read:db:denied")) === "PENDING");
    const ann = await program().person("ann");
    await ann.act((await requestFor("read:db:denied"))?.id ?? "", "deny", { reason: "no" });
    expect(await running.ended).toMatchObject({ code: 6, out: "" });
  });

  test("is withdrawn when the wait ends: by --timeout with exit 7, by a signal with 128 + n", async () => {
    const late = await run("read:db:late", "console.log('ran')", "--timeout", "1s");
    const ended = await late.ended;
    expect(ended).toMatchObject({ code: 7, out: "" });
    expect(ended.err).toContain("was withdrawn");
    expect(await statusOf("read:db:late")).toBe("CANCELLED");

    const stopped = await run("read:db:stopped", "console.log('ran')");
    await until(() => stopped.said.err.includes("waits for"));
    stopped.child.kill("SIGINT");
    expect(await stopped.ended).toMatchObject({ code: 130, out: "" });
    expect(await statusOf("read:db:stopped")).toBe("CANCELLED");
  });
});
