import type { Actor } from "../../core/access/access-request.ts";
import { formatToken } from "../../core/values/token-format.ts";
import type { IdentityId } from "../../core/values/ids.ts";
import { builtInIdentityId } from "../../core/values/identity-origins.ts";
import type { Identity } from "../../core/values/identity.ts";
import { isRefusal, type Refusal } from "../../core/values/refusals.ts";
import { identityStep } from "./directory-service.ts";
import { createdStep, deletedStep, newKeyRecord } from "./api-key-service.ts";
import type { ServiceContext } from "../decisions/load-facts.ts";
import { StoreUnavailable, type Step } from "../ports/store.ts";
import { decideAndCommit } from "../decisions/decide-and-commit.ts";

const builtIn: Actor = { type: "system", id: "start", name: "start of the service", via: "console" };

/** The admin key that the start found or created. */
export type AdminKey =
  /** The given key is the active key of the built-in identity. */
  | { readonly kind: "given" }
  /** No key was given, and an active one exists. */
  | { readonly kind: "kept" }
  /** A new one. The caller writes it where only the operator can read it. */
  | { readonly kind: "made"; readonly token: string };

export interface BootstrapService {
  /**
   * Ensures that the built-in service identity `id_admin` exists and has one key. A given key replaces the former one.
   * A key that was deleted or reported as leaked stays revoked.
   * @param given `JIT_ADMIN_KEY`, if set.
   * @param kept What the key file holds from an earlier start, if anything.
   */
  ensureAdminKey(given: string | undefined, kept: string | undefined): Promise<AdminKey | Refusal>;
  /** The name of this database, used in object names at targets. Created at the first start, and never changed. */
  instanceId(): Promise<string>;
}

export function createBootstrapService(context: ServiceContext): BootstrapService {
  const { store, runtime } = context;

  const ensureIdentity = async (): Promise<Identity | Refusal> =>
    decideAndCommit(store, async () => {
      const identity = builtInIdentity();
      const before = await store.identity(identity.id);
      if (before !== undefined && before.value.managedBy === "built-in") {
        return { asWanted: before.value };
      }
      return { step: identityStep(context, before, identity, builtIn, []), result: identity };
    });

  return {
    async instanceId() {
      const known = await store.ownerOf("instance");
      if (known !== undefined) return known;
      const made = runtime.idSuffix();
      const taken = await store.commit({ ...emptyStep, unique: [{ take: "instance", owner: made }] });
      if ("ok" in taken) return made;
      if (taken.conflict !== "unique") throw new StoreUnavailable("The database could not be named.");
      return taken.owner;
    },
    async ensureAdminKey(given, kept) {
      const identity = await ensureIdentity();
      if (isRefusal(identity)) return identity;
      return decideAndCommit<AdminKey>(store, async () => {
        const active = await store.keysOf(identity.id);
        const wanted = given ?? kept;
        const known = wanted === undefined ? undefined : await store.keyByHash(runtime.sha256(wanted));
        const isActiveKey = known !== undefined && active.some((key) => key.value.id === known.key.value.id);
        if (isActiveKey && active.length === 1) {
          return { asWanted: { kind: given === undefined ? "kept" : "given" } satisfies AdminKey };
        }
        // A known key that is not active was ended on purpose.
        const isUsable = given !== undefined && known === undefined;
        const token = isUsable ? given : formatToken("live", runtime.tokenSecret());
        const step = replaced(
          context,
          identity.id,
          isActiveKey ? undefined : token,
          active.filter((key) => key.value.id !== known?.key.value.id),
        );
        const result: AdminKey = isActiveKey || isUsable ? { kind: "given" } : { kind: "made", token };
        return { step, result };
      });
    },
  };
}

const emptyStep: Step = { expects: [], writes: [], unique: [], counters: [], audit: [], effects: [] };

function builtInIdentity(): Identity {
  return {
    id: builtInIdentityId,
    kind: "SERVICE",
    name: "Administrator key",
    groups: [],
    links: {},
    managedBy: "built-in",
    listed: true,
    enabled: true,
  };
}

function replaced(
  context: ServiceContext,
  identityId: IdentityId,
  token: string | undefined,
  old: Parameters<typeof deletedStep>[1][],
): Step {
  const steps = old.map((key) => deletedStep(context, key, builtIn).step);
  if (token !== undefined) {
    const name = "administrator";
    const key = newKeyRecord(context, token, {
      identityId,
      roles: ["admin"],
      name,
      mintedBy: identityId,
      expiresAt: null,
    });
    steps.push({ ...createdStep(context, key, builtIn), effects: [] });
  }
  return {
    ...emptyStep,
    expects: steps.flatMap((step) => step.expects),
    writes: steps.flatMap((step) => step.writes),
    audit: steps.flatMap((step) => step.audit),
  };
}
