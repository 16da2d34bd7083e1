/** The published limits of Slack for messages and views, and one of our own for the whole message. */
const limits = {
  messageBlocks: 50,
  viewBlocks: 100,
  sectionText: 3_000,
  fields: 10,
  fieldText: 2_000,
  header: 150,
  buttonText: 75,
  buttonValue: 2_000,
  actionId: 255,
  blockId: 255,
  actions: 25,
  contextElements: 10,
  options: 100,
  optionText: 75,
  optionValue: 150,
  viewTitle: 24,
  metadata: 3_000,
  label: 2_000,
  placeholder: 150,
  messageText: 40_000,
  messageBlocksText: 13_200,
} as const;

type Json = { readonly [name: string]: unknown };

/** Every limit that a call's body exceeds. */
export function breaches(method: string, body: Json): string[] {
  const found: string[] = [];
  if (method.startsWith("chat.")) {
    if (text(body["text"]) === "" || text(body["text"]).length > limits.messageText) found.push("text");
    found.push(...markup(text(body["text"]), "text"));
    blocksOf(body["blocks"], limits.messageBlocks, found);
    if (JSON.stringify(body["blocks"] ?? []).length > limits.messageBlocksText) found.push("blocks too long");
  }
  if (method.startsWith("views.")) viewOf(object(body["view"]), found);
  return found;
}

/** Every limit that our answer to a call by Slack exceeds. */
export function breachesOfAck(body: Json): string[] {
  const found: string[] = [];
  if (body["response_type"] !== undefined) found.push(...breaches("chat.postEphemeral", body));
  if (body["view"] !== undefined) viewOf(object(body["view"]), found);
  const options = list(body["options"]).map(object);
  if (options.length > limits.options) found.push("too many options found");
  for (const one of options) optionOf(one, found);
  return found;
}

function viewOf(view: Json, found: string[]): void {
  if (view["type"] === "modal") {
    for (const name of ["title", "submit", "close"]) {
      const part = view[name];
      if (part !== undefined) plain(part, limits.viewTitle, `view.${name}`, found);
    }
    if (view["title"] === undefined) found.push("view.title missing");
    const hasInput = list(view["blocks"]).some((one) => object(one)["type"] === "input");
    if (hasInput && view["submit"] === undefined) found.push("view.submit missing");
  } else if (view["type"] !== "home") found.push("view.type");
  if (text(view["private_metadata"]).length > limits.metadata) found.push("private_metadata");
  blocksOf(view["blocks"], limits.viewBlocks, found);
}

function blocksOf(blocks: unknown, max: number, found: string[]): void {
  const all = list(blocks).map(object);
  if (all.length > max) found.push("too many blocks");
  const ids = all.flatMap((one) => (typeof one["block_id"] === "string" ? [one["block_id"]] : []));
  if (new Set(ids).size !== ids.length) found.push("block_id twice");
  for (const block of all) blockOf(block, found);
}

function blockOf(block: Json, found: string[]): void {
  switch (block["type"]) {
    case "header":
      return plain(block["text"], limits.header, "header", found);
    case "section": {
      const fields = list(block["fields"]);
      if (block["text"] === undefined && fields.length === 0) found.push("section empty");
      if (block["text"] !== undefined) words(block["text"], limits.sectionText, "section", found);
      if (fields.length > limits.fields) found.push("fields");
      for (const field of fields) words(field, limits.fieldText, "field", found);
      return;
    }
    case "context": {
      const elements = list(block["elements"]);
      if (elements.length === 0 || elements.length > limits.contextElements) found.push("context");
      for (const one of elements) words(one, limits.sectionText, "context", found);
      return;
    }
    case "actions": {
      const elements = list(block["elements"]).map(object);
      if (elements.length === 0 || elements.length > limits.actions) found.push("actions");
      const ids = elements.map((one) => text(one["action_id"]));
      if (new Set(ids).size !== ids.length) found.push("action_id twice");
      for (const one of elements) buttonOf(one, found);
      return;
    }
    case "input":
      plain(block["label"], limits.label, "label", found);
      if (block["hint"] !== undefined) plain(block["hint"], limits.label, "hint", found);
      return inputOf(object(block["element"]), found);
    case "rich_text":
      return richText(block, found);
    case "divider":
      return;
    default:
      found.push(`block ${String(block["type"])}`);
  }
}

const richParts = new Set([
  "rich_text_section",
  "rich_text_quote",
  "rich_text_preformatted",
  "rich_text_list",
]);

/** Rich text reads no markup. Slack documents no limit for it, so the limit of sections is used. */
function richText(block: Json, found: string[]): void {
  const parts = list(block["elements"]).map(object);
  if (parts.length === 0) found.push("rich_text empty");
  for (const part of parts) {
    if (!richParts.has(text(part["type"]))) found.push(`rich_text ${text(part["type"])}`);
    for (const one of list(part["elements"]).map(object)) {
      if (one["type"] !== "text") found.push(`rich_text ${text(one["type"])}: only text is ours`);
      words(one, limits.sectionText, "rich_text", found);
    }
  }
}

function buttonOf(button: Json, found: string[]): void {
  plain(button["text"], limits.buttonText, "button", found);
  if (text(button["value"]).length > limits.buttonValue) found.push("button value");
  if (text(button["action_id"]).length > limits.actionId) found.push("action_id");
  if (![undefined, "primary", "danger"].includes(button["style"] as undefined)) found.push("style");
}

function inputOf(element: Json, found: string[]): void {
  const options = [...list(element["options"]), ...list(element["initial_options"])].map(object);
  if (options.length > limits.options) found.push("options");
  if (element["type"] === "static_select" && list(element["options"]).length === 0) found.push("no options");
  for (const one of options) optionOf(one, found);
  if (element["placeholder"] !== undefined)
    plain(element["placeholder"], limits.placeholder, "placeholder", found);
  if (text(element["initial_value"]).length > Number(element["max_length"] ?? 3_000))
    found.push("initial_value");
}

function optionOf(option: Json, found: string[]): void {
  plain(option["text"], limits.optionText, "option", found);
  const value = text(option["value"]);
  if (value === "" || value.length > limits.optionValue) found.push("option value");
  if (option["description"] !== undefined) plain(option["description"], limits.optionText, "option", found);
}

function plain(part: unknown, max: number, where: string, found: string[]): void {
  if (object(part)["type"] !== "plain_text") found.push(`${where} must be plain_text`);
  words(part, max, where, found);
}

function words(part: unknown, max: number, where: string, found: string[]): void {
  const { length } = text(object(part)["text"]);
  if (length < 1 || length > max) found.push(`${where}: ${length} of ${max}`);
  if (object(part)["type"] !== "mrkdwn") return;
  found.push(...markup(text(object(part)["text"]), where));
  if (object(part)["verbatim"] !== true) found.push(`${where}: addresses would become links`);
}

/** We write no links, and mentions only in a line of ids. Any other markup was user text. */
function markup(written: string, where: string): readonly string[] {
  if (/^Please decide:(?: <(?:@[UW][A-Z0-9]+|!subteam\^S[A-Z0-9]+)>)+$/.test(written)) return [];
  return /<(?!!date\^\d+\^)/.test(written) ? [`${where}: markup that is not ours: ${written}`] : [];
}

function object(value: unknown): Json {
  return typeof value === "object" && value !== null ? { ...value } : {};
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}
