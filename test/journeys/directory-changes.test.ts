import { expect, test } from "vitest";
import { askedBelow, noSweep, staff } from "../support/company-config.ts";
import { api } from "../support/api-client.ts";
import { leavesNothingBehind } from "../support/leftover-processes.ts";
import { pause, startProgram, type Program } from "../support/program.ts";

leavesNothingBehind();

const by = (approvers: readonly string[], required = 1) =>
  askedBelow("asked:", { stages: [{ approvers, required }] });

async function reload(program: Program, config: object): Promise<void> {
  const before = program.log.length;
  program.configure(config);
  program.hup();
  await program.logged(/^configuration loaded$/, before);
}

async function strandedIs(program: Program, count: number): Promise<void> {
  while (!(await program.call("GET", "/metrics")).text.includes(`jit_requests_stranded ${count}\n`)) {
    await pause(20);
  }
}

test("a reload that leaves too few approvers strands pending requests, and the same access can be requested again", async () => {
  const program = await startProgram({
    config: { identities: staff, policies: [by(["group:dba"], 2)] },
    env: noSweep,
  });
  const dev = await program.person("dev");
  const first = await dev.ask({ scopes: ["read:asked:a"] });
  expect(first.body).toMatchObject({ status: "PENDING", stranded: null });
  const without = staff.map((one) =>
    one.id === "id_bob" || one.id === "id_cid" ? { ...one, groups: [] } : one,
  );
  await reload(program, { identities: without, policies: [by(["group:security"])] });
  await strandedIs(program, 1);
  expect((await program.admin.read(first.body.id)).body).toMatchObject({
    status: "PENDING",
    stranded: { stage: 1 },
    approvers: [{ identityId: "id_ann" }],
  });
  const second = await dev.ask({ scopes: ["read:asked:a"] });
  expect(second.body).toMatchObject({ status: "PENDING" });
  expect((await dev.ask({ scopes: ["read:asked:a"] })).body).toMatchObject({
    code: "duplicate_request",
    existing: second.body.id,
  });
  const sec = await program.person("sec");
  const approved = await sec.call("POST", `${api}/credentials/jit/${second.body.id}/approve`, {});
  expect(approved.body).toMatchObject({ status: "APPROVED" });
  expect((await program.admin.read(first.body.id)).body).toMatchObject({ status: "CANCELLED" });
  await strandedIs(program, 0);
  await program.stop();
});

test("an approver whose address changes in file and policy at once stays the approver", async () => {
  const program = await startProgram({
    config: { identities: staff, policies: [by(["sec@company.com"])] },
    env: noSweep,
  });
  const dev = await program.person("dev");
  const asked = await dev.ask({ scopes: ["read:asked:a"] });
  const moved = staff.map((one) => (one.id === "id_sec" ? { ...one, email: "head@company.com" } : one));
  await reload(program, { identities: moved, policies: [by(["head@company.com"])] });
  const read = await program.admin.read(asked.body.id);
  expect(read.body).toMatchObject({
    revision: asked.body.revision,
    approvers: [{ identityId: "id_sec", email: "head@company.com" }],
  });
  const sec = await program.person("sec");
  const approved = await sec.call("POST", `${api}/credentials/jit/${asked.body.id}/approve`, {});
  expect(approved.body).toMatchObject({ status: "APPROVED", approvals: [{ required: 1, given: 1 }] });
  await program.stop();
});
