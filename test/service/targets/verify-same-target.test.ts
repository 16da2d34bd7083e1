import { expect, test } from "vitest";
import { instant, makeId } from "../../../src/core/values/ids.ts";
import { ConnectorFault, type Connector, type ListedObject } from "../../../src/service/ports/connector.ts";
import { whyNotSameTarget, type HeldObject } from "../../../src/service/targets/verify-same-target.ts";
import { unavailableConnector } from "../../../src/service/targets/unavailable-connector.ts";
import { heldObject } from "../support/held-object.ts";

const grantId = makeId("grant", "one");
const identity = { id: "16400", system: "7000" };
const spec = {
  connector: "orders-db",
  object: "jit_gr_one_0123ab",
  grantId,
  requestId: makeId("request", "r"),
  subjectId: makeId("identity", "dev"),
  scopes: [],
  rights: {},
  notAfter: instant(10_000),
};
const live = heldObject(spec, identity);
const listed: ListedObject = {
  object: spec.object,
  grantId,
  notAfter: instant(10_000),
  drift: [],
  identity,
};
const never = new AbortController().signal;

function at(
  lists: readonly ListedObject[] | ConnectorFault,
  system?: { readonly instance: string; readonly isWritable: boolean },
): Connector {
  const refuse = async (): Promise<never> => {
    throw new Error("not asked here");
  };
  return {
    name: "orders-db",
    kind: "fake",
    serves: () => undefined,
    actionsOn: () => [],
    objectOf: () => spec.object,
    provision: refuse,
    issue: refuse,
    takeBack: refuse,
    check: async () => [],
    listManaged: async () => {
      if (lists instanceof ConnectorFault) throw lists;
      return lists;
    },
    ...(system !== undefined && { system: async () => system }),
    close: async () => {},
  };
}
const primary = { instance: "one", isWritable: true };
const down = new ConnectorFault("unreachable", "nobody there", { retryable: true, isTargetDown: true });
const locked = new ConnectorFault("not_permitted", "28P01", {
  retryable: false,
  reason: "it does not accept the broker's password",
});
const full = new ConnectorFault("unreachable", "53300", {
  retryable: true,
  isTargetDown: true,
  hasAnswered: true,
  reason: "it has no connection left",
});
const ending: HeldObject = {
  grant: { ...live.grant, phase: "ABANDONED" } as HeldObject["grant"],
  target: { ...live.target, state: "REVOKING" },
};

const other = heldObject({ ...spec, object: "jit_gr_two_0123ab" }, identity);
const endingElsewhere: HeldObject = { grant: ending.grant, target: { ...other.target, state: "REVOKING" } };

test.each<[string, readonly HeldObject[], Connector, Connector | undefined, RegExp | undefined]>([
  [
    "every object is there, by label and identifier, and the former address is silent",
    [live],
    at([listed], primary),
    at(down),
    undefined,
  ],
  [
    "the former address is another name of it",
    [live],
    at([listed], primary),
    at([listed], primary),
    undefined,
  ],
  [
    "the former address follows it now",
    [live],
    at([listed], primary),
    at([listed], { instance: "two", isWritable: false }),
    undefined,
  ],
  [
    "somebody else is at the former address now",
    [live],
    at([listed], primary),
    at([], { instance: "two", isWritable: true }),
    undefined,
  ],
  [
    "both hold the objects: one of them is a copy",
    [live],
    at([listed], primary),
    at([listed], { instance: "two", isWritable: true }),
    /former address answers too/,
  ],
  [
    "the former address is alive, and does not let us look",
    [live],
    at([listed], primary),
    at(locked),
    /former address answers too, and what it holds is not known: it does not accept the broker's password/,
  ],
  [
    "the former address is alive, and has no connection left",
    [live],
    at([listed], primary),
    at(full),
    /what it holds is not known: it has no connection left/,
  ],
  [
    "the former address answers, and its listing fails",
    [live],
    at([listed], primary),
    at(locked, { instance: "two", isWritable: true }),
    /what it holds is not known/,
  ],
  ["it is a replica", [live], at([listed], { instance: "two", isWritable: false }), at(down), /read replica/],
  ["it does not answer", [live], at(down), at(down), /reached/],
  ["it is empty", [live], at([], primary), at(down), /does not hold jit_gr_one/],
  [
    "the object has another identifier there",
    [live],
    at([{ ...listed, identity: { id: "1", system: "7000" } }]),
    at(down),
    /another object/,
  ],
  [
    "the object belongs to another grant there",
    [live],
    at([{ ...listed, grantId: makeId("grant", "two") }]),
    at(down),
    /another grant/,
  ],
  [
    "its system identifier is another",
    [live],
    at([{ ...listed, identity: { id: "16400", system: "8000" } }]),
    at(down),
    /system identifier/,
  ],
  ["the identifier was never recorded", [heldObject(spec)], at([listed]), at(down), /another object/],
  [
    "one of two is missing",
    [live, heldObject({ ...spec, object: "jit_gr_two_0123ab" }, identity)],
    at([listed]),
    at(down),
    /does not hold jit_gr_two/,
  ],
  [
    "what is to be taken back is missing, and nothing else tells the system",
    [ending],
    at([], primary),
    at(down),
    /does not hold/,
  ],
  [
    "what is to be taken back is missing at the same system",
    [endingElsewhere, live],
    at([listed], primary),
    at(down),
    undefined,
  ],
])("%s", async (_, held, next, former, why) => {
  const found = await whyNotSameTarget(held, next, former, never);
  if (why === undefined) expect(found).toBeUndefined();
  else expect(found).toMatch(why);
});

test("an unavailable connector keeps its scopes and refuses requests for them immediately", async () => {
  const scopes = { scopes: [], rights: {} };
  const connector = unavailableConnector(
    { ...at([]), serves: () => scopes, actionsOn: () => ["read"] },
    "no secret",
  );
  expect(connector.serves([])).toBe(scopes);
  expect(connector.actionsOn("any")).toEqual(["read"]);
  await expect(connector.provision(spec, never)).rejects.toMatchObject({ retryable: false });
  await expect(connector.takeBack(spec, never)).rejects.toMatchObject({
    retryable: true,
    isTargetDown: true,
  });
  await expect(connector.listManaged(never)).rejects.toMatchObject({
    message: expect.stringMatching(/no secret/),
  });
  expect((await connector.check(never)).map(({ result }) => result)).toEqual(["problem"]);
});
