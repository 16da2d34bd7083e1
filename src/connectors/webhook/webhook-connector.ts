import { actionsOn, servedScopes, type WebhookSettings } from "../../core/values/connector-settings.ts";
import { parseId, type Instant } from "../../core/values/ids.ts";
import { actionOf } from "../../core/values/scopes.ts";
import { formatInstant, parseInstant } from "../../core/values/time.ts";
import type { CheckFinding, Connector, ListedObject, TargetSpec } from "../../service/ports/connector.ts";
import { finding, notVerified } from "../shared/check-finding.ts";
import { clockFinding } from "../shared/check-clock.ts";
import type { ConnectorPorts } from "../shared/connector-ports.ts";
import { objectName } from "../shared/label.ts";
import { webhookCalls, type Call } from "./calls.ts";
import { explainedFault } from "../shared/explained-fault.ts";

const textLengthMax = 4_000;
const secretLengthMax = 16_000;
const driftMax = 20;

/** Gives access at any other system through a receiver of the operator, which gets signed calls and acts on them. */
export function createWebhookConnector(
  settings: WebhookSettings,
  { instance, now }: ConnectorPorts,
): Connector {
  const { name, kind } = settings;
  const call = webhookCalls(settings, { instance, connector: name }, now);
  return {
    name,
    kind,
    place: receiverOf(settings.url),
    serves(scopes) {
      const served = servedScopes(settings, scopes);
      const rights = served.flatMap((scope) => settings.actions[actionOf(scope)]?.rights ?? []);
      return served.length === 0 ? undefined : { scopes: served, rights: { rights: [...new Set(rights)] } };
    },
    actionsOn: (resource) => actionsOn(settings, resource),
    objectOf: (grantId) => objectName("jit_", name, grantId),
    async provision(spec, signal) {
      await call("grant.provision", specData(spec), signal, `msg_${spec.object}_provision_${spec.notAfter}`);
    },
    async issue(spec, { expiresAt, sshPublicKey }, signal) {
      const data = {
        ...specData({ ...spec, notAfter: expiresAt }),
        ...(sshPublicKey !== undefined && { sshPublicKey }),
      };
      const response = await call("grant.issue", data, signal);
      return {
        connector: name,
        kind,
        where: textOf(response.get("where")) ?? new URL(settings.url).hostname,
        username: textOf(response.get("username")) ?? spec.object,
        secret: secretOf(response.get("secret")),
        expiresAt,
        command: textOf(response.get("command")),
      };
    },
    async takeBack({ object, grantId }, signal) {
      await call("grant.revoke", { object, grantId }, signal, `msg_${object}_revoke`);
    },
    async listManaged(signal) {
      return objectsOf(name, (await call("grant.list", {}, signal)).get("objects"));
    },
    check: (signal) => checkReceiver(call, now, signal),
    close: async () => {},
  };
}

/** Requests the listing, which changes nothing. */
async function checkReceiver(
  call: Call,
  now: () => Instant,
  signal: AbortSignal,
): Promise<readonly CheckFinding[]> {
  const before = now();
  const response = await call("grant.list", {}, signal);
  const theirs = parseInstant(textOf(response.get("now")) ?? "");
  return [
    finding("The receiver answers, and accepts our signature", true),
    finding(
      "It lists its objects",
      Array.isArray(response.get("objects")),
      `Answer grant.list with {"objects": [{"object", "grantId", "notAfter"}]}.`,
    ),
    theirs === undefined
      ? notVerified("Its clock", "the receiver does not say its time", `Answer grant.list with "now", too.`)
      : clockFinding(theirs, before, now()),
    notVerified("That it provisions and takes back access", "to try that would change something there"),
  ];
}

/** The address without the parts that may be secret. */
function receiverOf(url: string): string {
  const { origin, pathname } = new URL(url);
  return `${origin}${pathname}`;
}

function specData({ object, grantId, requestId, subjectId, scopes, rights, notAfter }: TargetSpec) {
  return { object, grantId, requestId, subjectId, scopes, rights, notAfter: formatInstant(notAfter) };
}

/** An invalid listing must not count as an empty one: every object would seem to be gone. */
function objectsOf(name: string, value: unknown): readonly ListedObject[] {
  if (!Array.isArray(value)) {
    throw explainedFault("refused", name, "the receiver returned no list of objects", {
      retryable: false,
    });
  }
  return value.map((item: unknown) => {
    const fields = new Map<string, unknown>(
      typeof item === "object" && item !== null ? Object.entries(item) : [],
    );
    const object = textOf(fields.get("object"));
    if (object === null) {
      throw explainedFault("refused", name, "the receiver lists an object without a name", {
        retryable: false,
      });
    }
    const drift = fields.get("drift");
    return {
      object,
      grantId: parseId("grant", textOf(fields.get("grantId")) ?? "") ?? null,
      notAfter: parseInstant(textOf(fields.get("notAfter")) ?? "") ?? null,
      drift: (Array.isArray(drift) ? drift : []).slice(0, driftMax).flatMap((line) => textOf(line) ?? []),
    };
  });
}

/** Text of a receiver is shown to people, so it must be a single line of limited length. */
function textOf(value: unknown): string | null {
  return typeof value === "string" && value !== "" && value.length <= textLengthMax && !/\p{Cc}/u.test(value)
    ? value
    : null;
}

/** A secret may have several lines, for example a key file. */
function secretOf(value: unknown): string | null {
  return typeof value === "string" && value !== "" && value.length <= secretLengthMax ? value : null;
}
