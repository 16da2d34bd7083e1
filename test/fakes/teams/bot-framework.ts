import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { fakeKey, signedToken, type FakeKey } from "./signing.ts";

/** One call that we made to the connector. */
export interface ConnectorCall {
  readonly verb: "post" | "update" | "open" | "member" | "members";
  readonly conversation: string;
  /** The id of the message or member. */
  readonly id: string | null;
  readonly body: Activity;
}

/** The fields of a sent activity that tests read. */
export interface Activity {
  readonly type?: string;
  readonly text?: string;
  readonly summary?: string;
  readonly attachments?: readonly { readonly contentType: string; readonly content: FakeCard }[];
  readonly [name: string]: unknown;
}

export interface FakeCard {
  readonly body: readonly unknown[];
  readonly actions: readonly FakeButton[];
  readonly [name: string]: unknown;
}

export interface FakeButton {
  readonly type: string;
  readonly title: string;
  readonly verb?: string;
  readonly data: Readonly<Record<string, unknown>>;
}

export interface FakeMember {
  readonly id: string;
  readonly aadObjectId: string;
  readonly tenantId: string;
  readonly userRole: string;
  readonly userPrincipalName?: string;
  readonly name: string;
}

/** The failure that matching calls get. */
export interface Trouble {
  readonly of: (call: ConnectorCall) => boolean;
  readonly status: number | "hang";
  readonly code?: string;
  readonly retryAfter?: string;
}

/** The largest message that Teams accepts. */
const messageBytesMax = 28_000;

export interface FakeBotFramework {
  /** Without a trailing slash. */
  readonly url: string;
  /** The address that serves conversations; other addresses answer 404. */
  readonly serviceUrl: string;
  /** Moves all conversations to the address of this region. */
  moveTo(region: string): void;
  readonly key: FakeKey;
  readonly calls: ConnectorCall[];
  /** The forms of all sign-ins. */
  readonly logins: Readonly<Record<string, string>>[];
  readonly metadataFetches: { count: number };
  /** The keys that the metadata names. */
  readonly keys: FakeKey[];
  readonly trouble: Trouble[];
  /** The current messages by id, in the order they were posted. */
  readonly messages: Map<string, { readonly conversation: string; readonly activity: Activity }>;
  /** People who have the app, by the object id of their account. With others no conversation can be opened. */
  readonly installed: Set<string>;
  /** Members of channels, by the object ids of their accounts. The members of other channels are not listed. */
  readonly channelMembers: Map<string, readonly string[]>;
  /** Members of every conversation. */
  readonly members: Map<string, FakeMember>;
  login: { status: number | "hang" };
  /** Whether the connector rejects every token. */
  isTokenRefused: boolean;
  metadata: { status: number | "hang" };
  /** A valid token; `claims` and `header` replace its fields, undefined removes them. */
  token(claims?: object, header?: object, key?: FakeKey): string;
  close(): Promise<void>;
}

export const appId = "11111111-2222-3333-4444-555555555555";
export const tenantId = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee";
export const appPassword = "a-password-of-the-app";

/** Starts all services of Microsoft that we call, on one local port. `now`: epoch milliseconds. */
export async function startBotFramework(now: () => number): Promise<FakeBotFramework> {
  const key = fakeKey("key-1");
  let url = "";
  const server = createServer((request, response) => void answer(request, response));
  let nextId = 0;
  /** Issued tokens with their expiry. */
  const issued = new Map<string, number>();

  let region = "emea";
  const fake: Omit<FakeBotFramework, "url" | "serviceUrl"> = {
    installed: new Set(),
    channelMembers: new Map(),
    moveTo(next) {
      region = next;
      Object.assign(fake, { serviceUrl: `${url}/${region}/` });
    },
    key,
    keys: [key],
    calls: [],
    logins: [],
    trouble: [],
    messages: new Map(),
    members: new Map(),
    metadataFetches: { count: 0 },
    login: { status: 200 },
    isTokenRefused: false,
    metadata: { status: 200 },
    token(claims = {}, header = {}, signer = key) {
      const seconds = Math.floor(now() / 1_000);
      return signedToken(
        signer,
        { alg: "RS256", typ: "JWT", kid: signer.kid, ...header },
        {
          iss: "https://api.botframework.com",
          aud: appId,
          serviceurl: `${url}/${region}/`,
          nbf: seconds - 60,
          exp: seconds + 3_600,
          ...claims,
        },
      );
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(Buffer.from(chunk));
    const text = Buffer.concat(chunks).toString();
    const path = new URL(request.url ?? "/", url).pathname;
    if (path === "/openid") {
      fake.metadataFetches.count++;
      if (fake.metadata.status === "hang") return;
      return respond(response, fake.metadata.status, {
        issuer: "https://api.botframework.com",
        jwks_uri: `${url}/keys`,
      });
    }
    if (path === "/keys") return respond(response, 200, { keys: fake.keys.map(({ jwk }) => jwk) });
    if (path === `/login/${tenantId}/oauth2/v2.0/token`) {
      const form = Object.fromEntries(new URLSearchParams(text));
      fake.logins.push(form);
      if (fake.login.status === "hang") return;
      const isRight = form["client_id"] === appId && form["client_secret"] === appPassword;
      if (!isRight || fake.login.status !== 200) {
        return respond(response, isRight ? fake.login.status : 401, { error: "invalid_client" });
      }
      const token = `token-${fake.logins.length}`;
      issued.set(token, now() + 3_600_000);
      return respond(response, 200, { token_type: "Bearer", expires_in: 3_600, access_token: token });
    }
    if (!path.startsWith(`/${region}/v3/conversations`)) return respond(response, 404, {});
    const endsAt = issued.get(request.headers.authorization?.replace("Bearer ", "") ?? "") ?? 0;
    if (now() >= endsAt || fake.isTokenRefused) return respond(response, 401, {});
    return connector(request.method ?? "", path, text, response);
  };

  const connector = (method: string, path: string, text: string, response: ServerResponse): void => {
    const call = callOf(method, path, text);
    if (call === undefined) return respond(response, 405, {});
    fake.calls.push(call);
    const trouble = fake.trouble.find((one) => one.of(call));
    if (trouble !== undefined) {
      if (trouble.status === "hang") return;
      if (trouble.retryAfter !== undefined) response.setHeader("retry-after", trouble.retryAfter);
      return respond(response, trouble.status, {
        error: { code: trouble.code ?? "Trouble", message: "of the test" },
      });
    }
    if (Buffer.byteLength(text) > messageBytesMax) {
      return respond(response, 413, { error: { code: "MessageSizeTooBig", message: "too big" } });
    }
    switch (call.verb) {
      case "member": {
        const member = fake.members.get(call.id ?? "");
        return member === undefined
          ? respond(response, 404, { error: { code: "MemberNotFoundInConversation", message: "nobody" } })
          : respond(response, 200, member);
      }
      case "members": {
        const members = fake.channelMembers.get(call.conversation);
        return members === undefined
          ? respond(response, 403, { error: { code: "BotNotInConversationRoster", message: "not in it" } })
          : respond(response, 200, { members: members.map((aadObjectId) => ({ aadObjectId })) });
      }
      case "open": {
        const [{ id: wanted }] = call.body["members"] as [{ id: string }];
        const member = [...fake.members.values()].find(({ id, aadObjectId }) =>
          [id, aadObjectId].includes(wanted),
        );
        return member === undefined || !fake.installed.has(member.aadObjectId)
          ? respond(response, 403, {
              error: { code: "ForbiddenOperationException", message: "not installed" },
            })
          : respond(response, 201, { id: `a:${member.id}` });
      }
      case "post":
      case "update": {
        const above = call.id ?? call.conversation.split(";messageid=")[1];
        if (above?.startsWith("message-") === true && !fake.messages.has(above)) {
          return respond(response, 404, {
            error: { code: "ActivityNotFoundInConversation", message: "gone" },
          });
        }
        const id = call.id ?? `message-${++nextId}`;
        fake.messages.set(id, { conversation: call.conversation, activity: call.body });
        return respond(response, 201, { id });
      }
    }
  };

  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  url = `http://127.0.0.1:${port}`;
  return Object.assign(fake, { url, serviceUrl: `${url}/${region}/` });
}

function callOf(method: string, path: string, text: string): ConnectorCall | undefined {
  const body: Activity = text === "" ? {} : JSON.parse(text);
  const [conversation = "", part, id = null] = path
    .split("/")
    .slice(4)
    .map((one) => decodeURIComponent(one));
  if (method === "POST" && part === undefined) return { verb: "open", conversation: "", id: null, body };
  if (method === "GET" && part === "members") return { verb: "member", conversation, id, body };
  if (method === "GET" && part === "pagedmembers") return { verb: "members", conversation, id: null, body };
  if (method === "POST" && part === "activities") return { verb: "post", conversation, id: null, body };
  return method === "PUT" && part === "activities" ? { verb: "update", conversation, id, body } : undefined;
}

function respond(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(body));
}
