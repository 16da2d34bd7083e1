import {
  appId,
  tenantId,
  type FakeBotFramework,
  type FakeButton,
  type FakeCard,
} from "../../../fakes/teams/bot-framework.ts";

/** The answer to one call by Teams. */
export interface Answer {
  readonly status: number;
  readonly text: string;
  /** The card of an invoke's answer, in a message or a dialog. */
  readonly card: FakeCard;
  /** The sentence, if the answer is not a card. */
  readonly sentence: string;
}

/** Simulates people in Teams: what they do and what they see. */
export interface TeamsUsers {
  /** Sends a call as Teams does, with a valid token unless another header is given. */
  call(activity: object, authorization?: string): Promise<Answer>;
  /** An activity of this person in their personal chat, or where `more` says. */
  activity(name: string, more: object): object;
  /** Presses a button of a card in a message. */
  press(name: string, button: FakeButton, typed?: object, more?: object): Promise<Answer>;
  /** Presses a button that opens a dialog, or a button in a dialog. */
  pressInDialog(name: string, button: FakeButton, typed?: object): Promise<Answer>;
  /** The current cards in this person's personal chat, the newest last. */
  cardsOf(name: string): readonly FakeCard[];
  cardsIn(conversation: string): readonly FakeCard[];
}

/** `send`: posts a body with an Authorization header to the service's endpoint for Teams. */
export function teamsUsers(
  fake: FakeBotFramework,
  now: () => number,
  send: (
    authorization: string,
    payload: string,
  ) => Promise<{ readonly status: number; readonly text: string }>,
): TeamsUsers {
  let count = 0;
  const activity: TeamsUsers["activity"] = (name, more) => ({
    id: `activity-${++count}`,
    timestamp: new Date(now()).toISOString(),
    channelId: "msteams",
    serviceUrl: fake.serviceUrl,
    from: { id: `29:${name}`, name, aadObjectId: `aad-${name}` },
    recipient: { id: `28:${appId}`, name: "JIT" },
    conversation: { id: `a:29:${name}`, conversationType: "personal", tenantId },
    channelData: { tenant: { id: tenantId } },
    ...more,
  });
  const call: TeamsUsers["call"] = async (body, authorization = `Bearer ${fake.token()}`) => {
    keepInstalled(fake, body);
    const { status, text } = await send(authorization, JSON.stringify(body));
    return answerOf(status, text);
  };
  const cardsIn = (conversation: string): readonly FakeCard[] =>
    [...fake.messages.values()]
      .filter((one) => one.conversation === conversation)
      .flatMap((one) => (one.activity.attachments ?? []).map(({ content }) => content));
  return {
    activity,
    call,
    pressInDialog: (name, { data }, typed = {}) => {
      const isOpening = "msteams" in data;
      const value = { data: { ...data, ...typed }, context: { theme: "default" } };
      return call(activity(name, { type: "invoke", name: isOpening ? "task/fetch" : "task/submit", value }));
    },
    press: (name, { verb, data }, typed = {}, more = {}) => {
      const action = { type: "Action.Execute", verb, data: { ...data, ...typed } };
      const value = { action, trigger: "manual" };
      return call(activity(name, { type: "invoke", name: "adaptiveCard/action", value, ...more }));
    },
    cardsOf: (name) => cardsIn(`a:29:${name}`),
    cardsIn,
  };
}

/** A person who acts in their personal chat has the app, until they remove it. */
function keepInstalled(fake: FakeBotFramework, activity: object): void {
  const { type, action, membersRemoved, conversation, from }: Partial<Record<string, unknown>> = {
    ...activity,
  };
  const { conversationType } = { ...(conversation as { conversationType?: string }) };
  const { aadObjectId } = { ...(from as { aadObjectId?: string }) };
  if (conversationType !== "personal" || aadObjectId === undefined || type === "invoke") return;
  if (action === "remove" || membersRemoved !== undefined) fake.installed.delete(aadObjectId);
  else fake.installed.add(aadObjectId);
}

export function memberNamed(name: string) {
  return {
    id: `29:${name}`,
    aadObjectId: `aad-${name}`,
    tenantId,
    userRole: "user",
    userPrincipalName: `${name}@company.com`,
    name,
  };
}

function answerOf(status: number, text: string): Answer {
  const body: Record<string, unknown> = text.startsWith("{") ? JSON.parse(text) : {};
  const value: unknown = body["value"];
  const task = body["task"] as { value: { card: { content: FakeCard } } } | undefined;
  const isCard = typeof value === "object" && value !== null;
  const none: FakeCard = { body: [], actions: [] };
  const card = task === undefined ? (isCard ? (value as FakeCard) : none) : task.value.card.content;
  return { status, text, card, sentence: typeof value === "string" ? value : "" };
}

/** The button with this label, anywhere on the card. */
export function button(card: FakeCard | undefined, title: string): FakeButton {
  const found = buttonsIn(card).find((one) => one.title === title);
  if (found === undefined) throw new Error(`no button ${title} on ${JSON.stringify(card)}`);
  return found;
}

export function titles(card: FakeCard | undefined): readonly string[] {
  return buttonsIn(card).map(({ title }) => title);
}

function buttonsIn(card: FakeCard | undefined): readonly FakeButton[] {
  const found: FakeButton[] = [];
  JSON.stringify(card, (_, value: unknown) => {
    if (typeof value === "object" && value !== null && "type" in value && "title" in value) {
      if (String(value.type).startsWith("Action.")) found.push(value as FakeButton);
    }
    return value;
  });
  return found.filter(({ title }) => title !== "Refresh");
}

/** The text of a card, row by row. */
export function wordsOn(card: FakeCard | undefined): string {
  return rowsIn(card?.body ?? []).join("\n");
}

function rowsIn(element: unknown): readonly string[] {
  if (Array.isArray(element)) return element.flatMap(rowsIn);
  if (typeof element !== "object" || element === null) return [];
  const { text, label, inlines, items }: Partial<Record<string, unknown>> = { ...element };
  const run = Array.isArray(inlines) ? [inlines.map((one: { text: string }) => one.text).join("")] : [];
  return [...[label, text].filter((one) => typeof one === "string"), ...run, ...rowsIn(items)];
}
