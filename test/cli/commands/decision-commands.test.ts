import { expect, test } from "vitest";
import { fakeService, shown } from "../support/fake-service.ts";
import { jit } from "../support/run-jit.ts";

const pending = shown({ status: "PENDING", revision: "r1", scopes: ["read:prod:a", "read:prod:b"] });
const decisions = [
  ["approve", ["approve", "jit_one"], "Approve all 2 scopes for"],
  ["review", ["review", "jit_one", "--justified", "--comment", "there was a fire"], "as justified?"],
] as const;

test.each(decisions)(
  "%s: somebody at a terminal reads all of it and is asked first",
  async (verb, args, question) => {
    const { url, received } = await fakeService({ body: pending });
    const { code, out, err } = await jit(args, { url, isTerminal: true, answer: true });
    expect([code, err]).toEqual([0, expect.stringContaining(question)]);
    expect(out.indexOf("read:prod:b")).toBeGreaterThan(0);
    expect(received.map(({ method, path }) => `${method} ${path.split("/").at(-1)}`)).toEqual([
      "GET jit_one",
      `POST ${verb}`,
    ]);
    if (verb === "approve") expect(received[1]?.body).toContain('"revision":"r1"');
  },
);

test.each(decisions)("%s: who does not say yes has decided nothing", async (_, args) => {
  const { url, received } = await fakeService({ body: pending });
  const { code, err } = await jit(args, { url, isTerminal: true, answer: false });
  expect([code, err]).toEqual([1, expect.stringContaining("Nothing was changed.")]);
  expect(received.map(({ method }) => method)).toEqual(["GET"]);
});

test.each(decisions)("%s: with --yes, or where nobody can answer, nobody is asked", async (_, args) => {
  const { url, received } = await fakeService({ body: pending });
  expect((await jit([...args, "--yes"], { url, isTerminal: true, answer: false })).code).toBe(0);
  expect((await jit(args, { url })).code).toBe(0);
  expect(received.map(({ method }) => method)).toEqual(["POST", "POST"]);
});
