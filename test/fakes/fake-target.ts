import { createHash, randomBytes } from "node:crypto";
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { instant, type Scope } from "../../src/core/values/ids.ts";
import { parseId } from "../../src/core/values/ids.ts";
import { actionOf, resourceOf } from "../../src/core/values/scopes.ts";
import { ConnectorFault, type CheckFinding, type Connector } from "../../src/service/ports/connector.ts";

/** One object at the target. */
export interface FakeObject {
  /** Null: an object that is not ours. */
  readonly grantId: string | null;
  notAfter: number;
  rights: Readonly<Record<string, readonly string[]>>;
  /** SHA-256 of the secret that opens it. */
  secretHash: string | null;
  issued: number;
  drift: readonly string[];
}

interface State {
  readonly objects: Record<string, FakeObject>;
  /** Every change, in order: `create jit_a`, `remove jit_a`. */
  readonly history: string[];
}

export type Verb = "provision" | "issue" | "takeBack" | "listManaged" | "check";

export interface FakeTargetOptions {
  /** The file with its state, which survives the process. */
  readonly file: string;
  readonly name?: string;
  /** Prefix of the resources it serves. */
  readonly resources?: string;
  /** The actions its resources have; absent: any. */
  readonly actions?: readonly string[];
  readonly place?: string;
  readonly needsSshPublicKey?: boolean;
  /** Called before and after each change, so that a test can end the process there. */
  readonly onStep?: (step: string) => void;
}

/** A target system that can fail in every way. */
export interface FakeTarget extends Connector {
  /** The failures to simulate. */
  readonly trouble: {
    isDown: boolean;
    /** Whether it ignores abort signals. */
    ignoresAbort: boolean;
    latencyMs: number;
    /** Thrown at the next calls of this verb, one each. */
    readonly faults: Partial<Record<Verb, ConnectorFault[]>>;
  };
  readonly calls: Verb[];
  /** Every secret it has issued. */
  readonly secrets: string[];
  state(): State;
  /** Changes its objects by hand, like an administrator there. */
  change(change: (objects: Record<string, FakeObject>) => void): void;
  /** Whether this secret opens this object. */
  opens(object: string, secret: string | null): boolean;
}

const hashOf = (text: string): string => createHash("sha256").update(text).digest("hex");

export function createFakeTarget(options: FakeTargetOptions): FakeTarget {
  const { file, name = "orders-db", resources = "prod:", onStep = () => {} } = options;
  const trouble: FakeTarget["trouble"] = { isDown: false, ignoresAbort: false, latencyMs: 0, faults: {} };
  const calls: Verb[] = [];
  const secrets: string[] = [];

  const read = (): State =>
    existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : { objects: {}, history: [] };
  const write = (step: string, change: (state: State) => void): void => {
    onStep(`before ${step}`);
    const state = read();
    change(state);
    writeFileSync(`${file}.new`, JSON.stringify(state));
    renameSync(`${file}.new`, file);
    onStep(`after ${step}`);
  };

  const reach = async (verb: Verb, signal: AbortSignal): Promise<void> => {
    calls.push(verb);
    if (trouble.latencyMs > 0) await pause(trouble.latencyMs, trouble.ignoresAbort ? undefined : signal);
    const fault = trouble.faults[verb]?.shift();
    if (fault !== undefined) throw fault;
    if (trouble.isDown) throw down();
  };

  const ours = (state: State, object: string): FakeObject | undefined => {
    const found = state.objects[object];
    if (found !== undefined && found.grantId === null) {
      throw new ConnectorFault("foreign_object", "not ours", { retryable: false });
    }
    return found;
  };

  return {
    name,
    kind: "fake",
    place: options.place ?? `fake:${name}`,
    needsSshPublicKey: options.needsSshPublicKey ?? false,
    trouble,
    calls,
    secrets,
    state: read,
    change: (change) => write("by hand", (state) => change(state.objects)),
    opens: (object, secret) => secret !== null && read().objects[object]?.secretHash === hashOf(secret),
    serves(scopes: readonly Scope[]) {
      const served = scopes.filter(
        (scope) =>
          resourceOf(scope).startsWith(resources) &&
          (options.actions === undefined || options.actions.includes(actionOf(scope))),
      );
      return served.length === 0 ? undefined : { scopes: served, rights: { roles: ["orders_read"] } };
    },
    actionsOn: (resource) => (resource.startsWith(resources) ? (options.actions ?? []) : []),
    objectOf: (grantId) => `jit_${grantId}`,
    async provision(spec, signal) {
      await reach("provision", signal);
      write(`provision ${spec.object}`, (state) => {
        const known = ours(state, spec.object);
        if (known === undefined) state.history.push(`create ${spec.object}`);
        state.objects[spec.object] = {
          secretHash: null,
          issued: 0,
          drift: [],
          ...known,
          grantId: spec.grantId,
          notAfter: spec.notAfter,
          rights: spec.rights,
        };
      });
    },
    async issue(spec, { expiresAt }, signal) {
      await reach("issue", signal);
      const secret = `tgt_${randomBytes(18).toString("base64url")}`;
      secrets.push(secret);
      write(`issue ${spec.object}`, (state) => {
        const known = ours(state, spec.object);
        if (known === undefined) throw new ConnectorFault("refused", "no such object", { retryable: true });
        Object.assign(known, { secretHash: hashOf(secret), issued: known.issued + 1, notAfter: expiresAt });
      });
      const username = spec.object;
      return {
        connector: name,
        kind: "fake",
        where: `fake:${name}`,
        username,
        secret,
        expiresAt,
        command: `open ${username}`,
      };
    },
    async takeBack({ object }, signal) {
      await reach("takeBack", signal);
      write(`take back ${object}`, (state) => {
        if (ours(state, object) === undefined) return;
        delete state.objects[object];
        state.history.push(`remove ${object}`);
      });
    },
    async listManaged(signal) {
      await reach("listManaged", signal);
      return Object.entries(read().objects).flatMap(([object, one]) =>
        one.grantId === null
          ? []
          : [
              {
                object,
                grantId: parseId("grant", one.grantId) ?? null,
                notAfter: instant(one.notAfter),
                drift: one.drift,
              },
            ],
      );
    },
    async check(signal): Promise<readonly CheckFinding[]> {
      await reach("check", signal);
      return [
        { what: "it answers", result: "in_order" },
        { what: "we may create roles", result: "problem", fix: "ALTER ROLE jit CREATEROLE;" },
      ];
    },
    close: async () => {},
  };
}

export function down(): ConnectorFault {
  return new ConnectorFault("unreachable", "connection refused", { retryable: true, isTargetDown: true });
}

export function refusing(code: ConnectorFault["code"] = "not_permitted"): ConnectorFault {
  return new ConnectorFault(code, "permission denied", { retryable: false });
}

async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal?.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(new ConnectorFault("timeout", "too slow", { retryable: true }));
    });
  });
}
