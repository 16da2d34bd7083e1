import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { policyContent } from "../../../src/config/schemas/policy.ts";
import { leavesNothingBehind } from "../../support/leftover-processes.ts";
import { sharedProgram } from "../../support/program.ts";
import { fakeService } from "../support/fake-service.ts";
import { jit, startJit } from "../support/run-jit.ts";

leavesNothingBehind();

const program = sharedProgram();
const folder = mkdtempSync(join(tmpdir(), "jit-cli-"));
afterAll(() => rmSync(folder, { recursive: true }));

const example = resolve(import.meta.dirname, "../../../jit.example.yaml");
const written = (name: string, text: string): string => {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
};

const bad = written("bad.yaml", "policies:\n  - name: one\n    autoApprove: true\n  - nmae: two\n");
const draft = written(
  "draft.yaml",
  `policies:
  - name: nights-off
    deny: true
    conditions: [{ not: { anyOf: [{ type: GROUP, operator: IN, value: [security] }, { type: DURATION, operator: LESS_THAN, value: 10m }] } }]
  - name: everything
    autoApprove: true
    conditions: [{ type: PREVIOUS_ACCESS, operator: LESS_THAN, value: 5, within: 30d }]
`,
);

describe("policy check", () => {
  test("needs no service and no key: the shipped example is in order", async () => {
    const { code, out, err } = await jit(["policy", "check", example], {
      key: "",
      url: "http://127.0.0.1:9",
    });
    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(out).toMatch(/is in order: \d+ identities, \d+ policies, \d+ risk rules\.\n$/);
  });

  test("names a pattern that the service would refuse for its cost", async () => {
    const file = written(
      "costly.yaml",
      "policies:\n  - name: costly\n    deny: true\n    conditions: [{ type: REASON, operator: MATCHES, value: '(a?){900}' }]\n",
    );
    const { code, out } = await jit(["policy", "check", file], { key: "" });
    expect(code).toBe(1);
    expect(out).toMatch(
      /costly\.yaml:4:\d+ policies\.0\.conditions\.0\.value: compiles to about [\d,]+ steps/,
    );
  });

  test("names every problem with file, line and column, and is exit 1", async () => {
    const { code, out, err } = await jit(["policy", "check", bad], { key: "" });
    expect(code).toBe(1);
    const lines = out.trimEnd().split("\n");
    expect(lines.length).toBeGreaterThan(1);
    for (const line of lines)
      expect(line).toMatch(
        /^\S+bad\.yaml:\d+:\d+ policies\.[01]\S* .+|^\S+bad\.yaml:\d+:\d+ policies\.[01]: .+/,
      );
    expect(err).toMatch(
      /^jit: \S+bad\.yaml has \d+ problems; correct the file and check it again\. \(invalid_config\)\n$/,
    );
  });

  test("says the same as JSON", async () => {
    const { code, out } = await jit(["policy", "check", bad, "--json"], { key: "" });
    expect(code).toBe(1);
    expect(JSON.parse(out)).toMatchObject({
      ok: false,
      problems: [{ file: bad, line: 2 }, { line: 4 }, { line: 4 }],
    });
    expect(JSON.parse((await jit(["policy", "check", example, "--json"], { key: "" })).out)).toEqual({
      ok: true,
      problems: [],
      warnings: [],
    });
  });

  test("warns about people who are named but not listed, and is in order nevertheless", async () => {
    const file = written(
      "nobody.yaml",
      `identities:
  - { id: id_ann, email: ann@company.com, name: Ann, groups: [dba] }
policies:
  - name: one
    approval:
      stages:
        - approvers: ["group:dba", "manager"]
        - approvers: ["group:dbaa", "Ann@company.com"]
          required: 2
`,
    );
    const { code, out } = await jit(["policy", "check", file], { key: "" });
    expect(code).toBe(0);
    expect(out.split("\n")).toEqual([
      `warning: ${file}:6:7 policies.0.approval.stages: 3 approvals are wanted over all stages, each person counts once, and there are only 2 people to ask`,
      `warning: ${file}:8:23 policies.0.approval.stages.1.approvers.0: group:dbaa means nobody: no active person is in this group`,
      `warning: ${file}:9:11 policies.0.approval.stages.1.required: 2 approvals are wanted, and there is only 1 approver`,
      expect.stringMatching(/nobody\.yaml is in order, with warnings: 1 identity, 1 policy, /),
      "",
    ]);
    const { warnings } = JSON.parse((await jit(["policy", "check", file, "--json"], { key: "" })).out);
    expect(warnings).toMatchObject([{ line: 6 }, { file, line: 8, column: 23 }, { line: 9 }]);
  });

  test("--strict fails on warnings and on nothing else, and says the same as JSON", async () => {
    const file = written(
      "typo.yaml",
      `identities:
  - { id: id_ann, email: ann@company.com, name: Ann, groups: [contractors] }
policies:
  - name: no contractors
    deny: true
    conditions:
      - { type: GROUP, operator: EQUALS, value: contractor }
`,
    );
    const warning = `${file}:7:42 policies.0.conditions.0.value: GROUP EQUALS contractor: nobody is in such a group`;
    const loose = await jit(["policy", "check", file], { key: "" });
    expect([loose.code, loose.out.split("\n")[0]]).toEqual([0, `warning: ${warning}`]);
    const strict = await jit(["policy", "check", file, "--strict"], { key: "" });
    expect([strict.code, strict.out]).toEqual([1, `warning: ${warning}\n`]);
    expect(strict.err).toMatch(/typo\.yaml has a warning, .+ \(config_warnings\)\n$/);
    const json = await jit(["policy", "check", file, "--strict", "--json"], { key: "" });
    expect(json.code).toBe(1);
    expect(JSON.parse(json.out)).toMatchObject({ ok: false, problems: [], warnings: [{ file, line: 7 }] });
    expect((await jit(["policy", "check", example, "--strict"], { key: "" })).code).toBe(0);
    expect((await jit(["policy", "check", bad, "--strict"], { key: "" })).err).toContain("(invalid_config)");
  });

  test("reads standard input", async () => {
    const { ended } = startJit(["policy", "check", "-"], {}, { input: "policies: [\n" });
    const { code, out } = await ended;
    expect(code).toBe(1);
    expect(out).toMatch(/^-:\d+:\d+ /);
  });
});

describe("policy explain", () => {
  const explain = async (...more: readonly string[]) => {
    const { address, admin } = program();
    const args = ["policy", "explain", draft, "--scope", "read:anything", ...more];
    return jit(args, { url: address, key: admin.key, time: "real" });
  };

  test("evaluates the policies of the file, condition by condition, for anybody", async () => {
    const denied = await explain("--identity", "id_abc123");
    expect(denied.code).toBe(1);
    expect(denied.out).toContain(
      "read:anything -> nights-off: it denies, and a denial wins over everything\n",
    );
    expect(denied.out).toContain(
      [
        "  yes nights-off: denies",
        "      yes not",
        "          no  any of",
        '              no  GROUP IN ["security"]   found: engineering',
        '              no  DURATION LESS_THAN "10m"   found: 1h',
        "",
      ].join("\n"),
    );
    expect(denied.out).toContain("  yes everything: holds, but a denial wins over it\n");
    const short = await explain("--identity", "id_abc123", "--for", "5m");
    expect(short.code).toBe(0);
    expect(short.out).toMatch(/^AUTO_APPROVED$/m);
  });

  test("sends policies as they are written, so that the service reads back the same", async () => {
    const { url, received } = await fakeService({ status: 500, body: "" });
    await jit(["policy", "explain", example, "--identity", "id_abc123", "--scope", "read:x"], { url });
    const { policies } = JSON.parse(received[0]?.body ?? "{}");
    expect(policies.length).toBeGreaterThan(5);
    for (const one of policies) expect(policyContent.safeParse(one).success).toBe(true);
  });

  test("of a file with problems shows them and calls no service", async () => {
    const { url, received } = await fakeService();
    const { code } = await jit(["policy", "explain", bad, "--identity", "id_x", "--scope", "read:x"], {
      url,
    });
    expect(code).toBe(1);
    expect(received).toEqual([]);
  });
});
