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

/** Whatever else there is, behind a receiver of the operator's: it is told what to do, signed, and does it. */
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
      await call("grant.provision", orderData(spec), signal, `msg_${spec.object}_provision_${spec.notAfter}`);
    },
    async issue(spec, { expiresAt, sshPublicKey }, signal) {
      const data = {
        ...orderData({ ...spec, notAfter: expiresAt }),
        ...(sshPublicKey !== undefined && { sshPublicKey }),
      };
      const answer = await call("grant.issue", data, signal);
      return {
        connector: name,
        kind,
        where: textOf(answer.get("where")) ?? new URL(settings.url).hostname,
        username: textOf(answer.get("username")) ?? spec.object,
        secret: secretOf(answer.get("secret")),
        expiresAt,
        command: textOf(answer.get("command")),
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

/** Asks for the listing, which changes nothing. */
async function checkReceiver(
  call: Call,
  now: () => Instant,
  signal: AbortSignal,
): Promise<readonly CheckFinding[]> {
  const before = now();
  const answer = await call("grant.list", {}, signal);
  const theirs = parseInstant(textOf(answer.get("now")) ?? "");
  return [
    finding("The receiver answers, and accepts our signature", true),
    finding(
      "It lists what it has given",
      Array.isArray(answer.get("objects")),
      `Answer grant.list with {"objects": [{"object", "grantId", "notAfter"}]}.`,
    ),
    theirs === undefined
      ? notVerified("Its clock", "the receiver does not say its time", `Answer grant.list with "now", too.`)
      : clockFinding(theirs, before, now()),
    notVerified("That it gives and takes back what it is told", "to try that would change something there"),
  ];
}

/** Without what may be secret in it. */
function receiverOf(url: string): string {
  const { origin, pathname } = new URL(url);
  return `${origin}${pathname}`;
}

function orderData({ object, grantId, requestId, subjectId, scopes, rights, notAfter }: TargetSpec) {
  return { object, grantId, requestId, subjectId, scopes, rights, notAfter: formatInstant(notAfter) };
}

/** What is not a listing must not be taken for an empty one: everything would seem to be gone. */
function objectsOf(name: string, value: unknown): readonly ListedObject[] {
  if (!Array.isArray(value)) {
    throw explainedFault("refused", name, "the receiver does not list what it has given", {
      retryable: false,
    });
  }
  return value.map((one: unknown) => {
    const fields = new Map<string, unknown>(
      typeof one === "object" && one !== null ? Object.entries(one) : [],
    );
    const object = textOf(fields.get("object"));
    if (object === null) {
      throw explainedFault("refused", name, "the receiver lists something without a name", {
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

/** What a receiver says is shown to people, so it is one line, and not a long one. */
function textOf(value: unknown): string | null {
  return typeof value === "string" && value !== "" && value.length <= textLengthMax && !/\p{Cc}/u.test(value)
    ? value
    : null;
}

/** Unlike the rest it may have lines: a key, a file to be saved. */
function secretOf(value: unknown): string | null {
  return typeof value === "string" && value !== "" && value.length <= secretLengthMax ? value : null;
}
