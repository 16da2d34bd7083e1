import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { pointInTime } from "../../../src/cli/commands/option-parsers.ts";
import { exitCodes } from "../../../src/cli/io/exit-codes.ts";
import { whyUnreadable } from "../../../src/cli/io/read-text-file.ts";
import { formatToken } from "../../../src/core/values/token-format.ts";
import { fakeService, me } from "../support/fake-service.ts";
import { jit, someKey } from "../support/run-jit.ts";

const oneSentence = /^jit: [^\n]+ \([a-z_]+\)\n$/;
const asked = ["--for", "1h", "--reason", "why"];

describe("a command line that is wrong is one sentence and exit 2, and nothing is sent:", () => {
  test.each([
    ["an unknown command", ["aks"], "Did you mean ask?"],
    ["an unknown command below another", ["keys", "lst"], "Did you mean list?"],
    ["an unknown option", ["list", "--statsu", "ACTIVE"], "Did you mean --status?"],
    ["no scope", ["ask", ...asked], "Name 1 to 20 scopes"],
    ["too many scopes", ["ask", ...Array.from({ length: 21 }, (_, n) => `read:${n}`), ...asked], "1 to 20"],
    ["a scope without an action", ["ask", "orders-db", ...asked], "action:resource"],
    ["a scope with a wildcard", ["ask", "read:prod:*", ...asked], "without wildcards"],
    ["a page of nothing", ["list", "--limit", "0"], "from 1 to 200"],
    ["a page too long", ["audit", "list", "--limit", "1000"], "from 1 to 200"],
    ["a duration that is none", ["ask", "read:x", "--for", "1,5h", "--reason", "why"], "A duration is"],
    ["no duration", ["ask", "read:x", "--reason", "why"], "--for"],
    ["no reason", ["deny", "jit_one"], "--reason"],
    ["an empty reason", ["deny", "jit_one", "--reason", " "], "must not be empty"],
    ["a status that there is not", ["list", "--status", "OPEN"], "PENDING"],
    ["two statuses", ["list", "--status", "PENDING", "--status", "ACTIVE"], "Only one status"],
    ["mine and somebody else's", ["list", "--mine", "--identity", "id_eve"], "--identity"],
    ["no outcome of a review", ["review", "jit_one", "--comment", "c"], "--justified or --unjustified"],
    [
      "both outcomes",
      ["review", "jit_one", "--comment", "c", "--justified", "--unjustified"],
      "--unjustified",
    ],
    ["a lockdown that nobody explains", ["lockdown", "on"], "Say why with --reason"],
    ["everything revoked", ["revoke-all", "--reason", "why"], "exactly one of"],
    [
      "two kinds revoked",
      ["revoke-all", "--identity", "a", "--policy", "b", "--reason", "why"],
      "exactly one of",
    ],
    [
      "lockdown perhaps",
      ["lockdown", "maybe", "--reason", "why"],
      "lockdown on, lockdown off or lockdown status",
    ],
    ["a role that there is not", ["keys", "create", "id_dev", "--role", "root"], "A role is one of"],
    ["an action that there is not", ["audit", "list", "--action", "x"], "There is no action x"],
    ["a format that there is not", ["audit", "export", "--format", "xml"], "jsonl"],
    ["no command to run", ["run", "--scope", "read:x", ...asked], "command"],
    ["a file that is not there", ["policy", "check", "/nowhere/jit.yaml"], "cannot be read: it is not there"],
    ["a file that is a folder", ["policy", "check", tmpdir()], "cannot be read: it is a folder"],
    [
      "a key file that is not there",
      ["list", "--key-file", "/nowhere/key"],
      "cannot be read: it is not there",
    ],
    ["a key file that is a folder", ["list", "--key-file", tmpdir()], "cannot be read: it is a folder"],
    ["help for what there is not", ["help", "keys", "nope"], "There is no command keys nope"],
    ["a filter said twice", ["list", "--scope", "read:a", "--scope", "read:b"], "It may be given once"],
    ["too much", ["whoami", "again"], "too many arguments"],
  ])("%s", async (_, args, said) => {
    const { url, received } = await fakeService({ body: me });
    const { code, out, err } = await jit(args, { url });
    expect(code).toBe(2);
    expect(out).toBe("");
    expect(err).toMatch(oneSentence);
    expect(err).toContain(said);
    expect(received).toEqual([]);
  });

  test.each([
    ["an unknown command", ["aks"], "see jit --help."],
    ["an unknown command below another", ["people", "show"], "see jit people --help."],
    ["a missing option", ["people", "import"], "see jit people import --help."],
    ["a value that is none", ["ask", "orders-db", ...asked], "see jit ask --help."],
  ])("%s points to the help that shows it", async (_, args, said) => {
    const { err } = await jit(args, { url: "http://127.0.0.1:1" });
    expect(err).toContain(said);
  });

  test.each(["localhost:3000", "ftp://host", "http://user:pass@host", "http://host/?a=b", "nonsense"])(
    "JIT_URL %s",
    async (url) => {
      const { code, err } = await jit(["list"], { url });
      expect(code).toBe(2);
      expect(err).toMatch(oneSentence);
    },
  );
});

describe("a key", () => {
  const jitToken = formatToken("jit", "E".repeat(30));

  test.each([
    ["is needed", ""],
    ["has to be whole", someKey.slice(0, -1)],
    ["has to be without mistakes", `${someKey.slice(0, -1)}x`],
    ["is not the token of an access", jitToken],
  ])("%s: exit 3 before anything is sent, and it is not repeated", async (_, key) => {
    const { url, received } = await fakeService({ body: me });
    const { code, err } = await jit(["whoami"], { url, key });
    expect(code).toBe(3);
    expect(err).toMatch(oneSentence);
    if (key !== "") expect(err).not.toContain(key);
    expect(received).toEqual([]);
  });

  test.each([
    ["as an option", ["list", "--cursor", someKey]],
    ["as an argument", ["status", someKey]],
    ["inside of words", ["deny", "jit_one", "--reason", `because ${jitToken} leaked`]],
    ["as an unknown option", [`--key=${someKey}`, "list"]],
  ])("on the command line %s is refused, without saying it again", async (_, args) => {
    const { url, received } = await fakeService({ body: me });
    const { code, out, err } = await jit(args, { url });
    expect(code).toBe(2);
    expect(out + err).not.toMatch(/kd_(jit|live)_[0-9A-Za-z]{36}/);
    expect(received).toEqual([]);
  });

  test("comes from --key-file before JIT_KEY before JIT_KEY_FILE", async () => {
    const folder = mkdtempSync(join(tmpdir(), "jit-cli-"));
    const keys = ["F", "G", "H"].map((letter) => formatToken("live", letter.repeat(30)));
    const files = keys.map((key, index) => {
      const file = join(folder, String(index));
      writeFileSync(file, `${key}\n`);
      return file;
    });
    const { url, received } = await fakeService({ body: me });
    const environment = { JIT_KEY_FILE: files[2] ?? "" };
    try {
      await jit(["whoami", "--key-file", files[0] ?? ""], { url, key: keys[1] ?? "", environment });
      await jit(["whoami"], { url, key: keys[1] ?? "", environment });
      await jit(["whoami"], { url, key: "", environment });
    } finally {
      rmSync(folder, { recursive: true });
    }
    expect(received.map(({ headers }) => headers.authorization)).toEqual(keys.map((key) => `Bearer ${key}`));
  });
});

describe("help", () => {
  test("lists the exit codes of the code", async () => {
    const { code, out } = await jit(["--help"]);
    expect(code).toBe(0);
    for (const { code: number, means } of Object.values(exitCodes)) {
      expect(out).toContain(`  ${String(number).padEnd(2)}  ${means}\n`);
    }
  });

  test("marks required options", async () => {
    for (const command of ["ask", "deny", "revoke", "revoke-all", "review", "keys create", "run"]) {
      expect((await jit([...command.split(" "), "--help"])).out).toContain("(required)");
    }
  });

  test("of a sub-command is shown by help too", async () => {
    const { code, out } = await jit(["help", "keys", "create"]);
    expect([code, out]).toEqual([0, expect.stringMatching(/^Usage: jit keys create /)]);
    expect((await jit(["help"])).out).toMatch(/^Usage: jit \[options\]/);
  });

  test("needs neither key nor service, and nor does the version", async () => {
    for (const args of [["help", "ask"], ["ask", "--help"], ["keys", "--help"], ["--version"]]) {
      expect(await jit(args, { key: "", url: "nonsense" })).toMatchObject({ code: 0, err: "" });
    }
  });

  test("is shown without arguments, with exit 2", async () => {
    const { code, out, err } = await jit([]);
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).toContain("Usage: jit");
  });
});

test("a status may be written in lower case", async () => {
  const { url, received } = await fakeService({ body: { data: [], nextCursor: null } });
  await jit(["list", "--status", "pending"], { url });
  expect(received[0]?.path).toContain("status=PENDING");
});

test("a time is accepted as help shows it, and a day is its midnight in UTC", () => {
  const [future, past] = [pointInTime("future"), pointInTime("past")];
  expect(future("2027-01-01")).toBe("2027-01-01T00:00:00.000Z");
  expect(Date.parse(future("in 30d")) - Date.parse(future("30d"))).toBeLessThan(5_000);
  expect(Date.parse(past("2d ago"))).toBeLessThan(Date.now() - 47 * 3_600_000);
  expect(() => past("in 2d")).toThrow("a duration such as 2d");
});

test("an unreadable file is distinguished from a missing one", () => {
  const forbidden = Object.assign(new Error("no"), { code: "EACCES" });
  expect(whyUnreadable(forbidden)).toBe("you may not read it; check its owner and mode");
});

test("a base path of the service stays in the address", async () => {
  const { url, received } = await fakeService({ body: me });
  await jit(["whoami"], { url: `${url}/jit/` });
  expect(received[0]?.path).toBe("/jit/api/v1/identities/me");
});

test("ids and scopes are encoded, whatever they contain", async () => {
  const { url, received } = await fakeService({ body: me });
  await jit(["status", "../../api-keys?x=y"], { url });
  expect(received[0]?.path).toBe("/api/v1/credentials/jit/..%2F..%2Fapi-keys%3Fx%3Dy");
});
