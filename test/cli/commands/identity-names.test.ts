import { describe, expect, test } from "vitest";
import { leavesNothingBehind } from "../../support/leftover-processes.ts";
import { createCliHarness, why } from "../support/api-harness.ts";

leavesNothingBehind();

const { as, json, askFor } = createCliHarness();

describe("a person is named by their e-mail address", () => {
  test("wherever a command asks for one", async () => {
    const id = await askFor("dev", "eve");
    const eve = "Eve@company.com";
    expect((await json("admin", "keys", "create", eve, "--role", "requester")).identityId).toBe("id_eve");
    const listed = await json("admin", "list", "--identity", eve);
    expect(listed.data.map((one: { id: string }) => one.id)).toContain(id);
    const held = await json("admin", "access", "--identity", eve);
    expect(held.data.map((one: { request: string }) => one.request)).toContain(id);
    expect((await json("admin", "ask", "read:dev:for-eve", "--as", eve, ...why)).identityId).toBe("id_eve");
    expect((await json("admin", "why", "read:dev:x", "--as", eve, "--for", "1h")).outcome).toBe(
      "AUTO_APPROVED",
    );
    expect((await json("admin", "revoke-all", "--identity", eve, "--reason", "left")).requests).toContain(id);
    expect((await json("admin", "people", "deactivate", eve)).active).toBe(false);
    expect((await json("admin", "people", "activate", eve)).active).toBe(true);
  });

  test("an unknown address is an error with a code, in lists too", async () => {
    const nobody = "nobody@company.com";
    for (const args of [
      ["list", "--identity", nobody],
      ["access", "--identity", nobody],
      ["revoke-all", "--identity", nobody, "--reason", "left"],
      ["keys", "create", nobody, "--role", "requester"],
      ["ask", "read:dev:x", "--as", nobody, ...why],
      ["why", "read:dev:x", "--as", nobody, "--for", "1h"],
    ]) {
      const { code, out, err } = await as("admin", ...args);
      expect({ args, code, out, err }).toEqual({
        args,
        code: 4,
        out: "",
        err: expect.stringContaining("(identity_unknown)"),
      });
    }
    expect(await as("admin", "people", "deactivate", nobody)).toMatchObject({
      code: 4,
      err: expect.stringContaining("(not_found)"),
    });
  });
});
