import type { FakeSlack } from "./fake-slack.ts";
import { breaches } from "./limits.ts";

type Json = { readonly [name: string]: unknown };

/** Runs a method of the Web API on the fake's state. */
export function callMethod(fake: FakeSlack, method: string, body: Json): Json {
  const broken = breaches(method, body);
  fake.broken.push(...broken);
  if (broken.length > 0) return { error: `invalid_arguments`, broken };
  switch (method) {
    case "auth.test":
      return { team_id: fake.teamId, user: "jit", user_id: "U0BOT", bot_id: "B0BOT" };
    case "apps.connections.open":
      return fake.socketUrl === undefined ? { error: "not_allowed" } : { url: fake.socketUrl };
    case "users.info":
      return member(fake, String(body["user"]));
    case "users.list":
      return listUsers(fake, body);
    case "conversations.info": {
      const id = String(body["channel"]);
      return { channel: { id, is_ext_shared: fake.shared.has(id) } };
    }
    case "conversations.members": {
      const members = fake.channelMembers.get(String(body["channel"]));
      return members === undefined ? { error: "missing_scope" } : { members };
    }
    case "usergroups.users.list": {
      const users = fake.groups.get(String(body["usergroup"]));
      return users === undefined ? { error: "no_such_subteam" } : { users };
    }
    case "chat.postMessage":
      return postMessage(fake, body);
    case "chat.update":
      return updateMessage(fake, body);
    case "views.open":
    case "views.publish":
    case "views.update":
      return storeView(fake, method, body);
    default:
      return { error: "unknown_method" };
  }
}

function member(fake: FakeSlack, id: string): Json {
  const more = fake.members.get(id);
  if (more === undefined) return { error: "user_not_found" };
  const user = {
    id,
    team_id: fake.teamId,
    deleted: false,
    is_bot: false,
    is_restricted: false,
    profile: {},
    ...more,
  };
  return { user };
}

function listUsers(fake: FakeSlack, { limit, cursor = "0" }: Json): Json {
  const from = Number(cursor);
  const ids = [...fake.members.keys()];
  const to = from + Number(limit);
  const next = to < ids.length ? String(to) : "";
  return {
    members: ids.slice(from, to).map((id) => member(fake, id)["user"]),
    response_metadata: { next_cursor: next },
  };
}

let clock = 1_700_000_000;

function postMessage(fake: FakeSlack, body: Json): Json {
  const to = String(body["channel"]);
  const refusal = fake.unpostable.get(to);
  if (refusal !== undefined) return { error: refusal };
  const channel = to.startsWith("U") ? fake.dmOf(to) : to;
  const ts = `${++clock}.000100`;
  const thread = typeof body["thread_ts"] === "string" ? body["thread_ts"] : undefined;
  if (thread !== undefined && !fake.messages.has(`${channel} ${thread}`))
    return { error: "thread_not_found" };
  const isBroadcast = String(body["reply_broadcast"]) === "true";
  const message = {
    channel,
    ts,
    thread,
    isBroadcast,
    text: String(body["text"]),
    blocks: body["blocks"] as Json[],
  };
  fake.messages.set(`${channel} ${ts}`, message);
  return { channel, ts };
}

function updateMessage(fake: FakeSlack, body: Json): Json {
  const refusal = fake.unpostable.get(String(body["channel"]));
  if (refusal !== undefined) return { error: refusal };
  const message = fake.messages.get(`${String(body["channel"])} ${String(body["ts"])}`);
  if (message === undefined) return { error: "message_not_found" };
  // Like Slack, an update without blocks keeps the old ones.
  if (body["blocks"] !== undefined) message.blocks = body["blocks"] as Json[];
  message.text = String(body["text"]);
  return { channel: message.channel, ts: message.ts };
}

function storeView(fake: FakeSlack, method: string, body: Json): Json {
  const view = { ...(body["view"] as Json) };
  if (method === "views.publish") {
    fake.views.set(String(body["user_id"]), view);
    return { view };
  }
  const id = method === "views.open" ? `V${++clock}` : String(body["view_id"]);
  if (method === "views.update" && !fake.views.has(id)) return { error: "not_found" };
  fake.views.set(id, { ...view, id, hash: `${clock}.h` });
  return { view: fake.views.get(id) };
}
