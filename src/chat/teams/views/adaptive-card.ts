/*
 * The part of Adaptive Cards 1.5 that our cards use. A test checks these types against Microsoft's own.
 */

export interface AdaptiveCard {
  readonly type: "AdaptiveCard";
  readonly $schema: "http://adaptivecards.io/schemas/adaptive-card.json";
  readonly version: "1.5";
  /** For clients that cannot show the card. */
  readonly fallbackText: string;
  readonly body: Element[];
  readonly actions: Button[];
  /** Teams runs the action when one of these people sees the card. */
  readonly refresh?: { readonly action: ExecuteButton; readonly userIds: string[] };
  readonly msteams?: { readonly width: "full"; readonly entities?: MentionEntity[] };
}

/** A mention: Teams replaces `text` in a text block by the person. */
export interface MentionEntity {
  readonly type: "mention";
  readonly text: string;
  readonly mentioned: { readonly id: string; readonly name: string };
}

export type Element = TextBlock | RichTextBlock | Container | ActionSet | TextInput | ChoiceInput;

/** For our own words only, because it reads Markdown and turns addresses into links. */
export interface TextBlock {
  readonly type: "TextBlock";
  readonly text: string;
  readonly wrap: true;
  readonly size?: "Small" | "Medium";
  readonly weight?: "Bolder";
  readonly isSubtle?: boolean;
  readonly spacing?: Spacing;
}

/** Shows its text runs without reading markup. */
export interface RichTextBlock {
  readonly type: "RichTextBlock";
  readonly inlines: TextRun[];
  readonly spacing?: Spacing;
}

export interface TextRun {
  readonly type: "TextRun";
  readonly text: string;
  readonly size?: "Medium" | "Large";
  readonly weight?: "Bolder";
  readonly isSubtle?: boolean;
  readonly color?: "Attention";
  readonly fontType?: "Monospace";
}

export interface Container {
  readonly type: "Container";
  readonly style?: "emphasis";
  readonly separator?: boolean;
  readonly spacing?: Spacing;
  readonly items: Element[];
}

export interface ActionSet {
  readonly type: "ActionSet";
  readonly actions: Button[];
}

export interface TextInput {
  readonly type: "Input.Text";
  readonly id: string;
  readonly label: string;
  readonly isMultiline: boolean;
  readonly maxLength: number;
  readonly value: string;
  readonly placeholder?: string;
}

export interface ChoiceInput {
  readonly type: "Input.ChoiceSet";
  readonly id: string;
  readonly label: string;
  readonly isMultiSelect: boolean;
  readonly style: "compact" | "filtered";
  readonly choices: { readonly title: string; readonly value: string }[];
  readonly value?: string;
  readonly placeholder?: string;
  /** Teams asks for more choices while the reader types. */
  readonly "choices.data"?: { readonly type: "Data.Query"; readonly dataset: string };
}

export type Button = ExecuteButton | SubmitButton;
export type ButtonStyle = "positive" | "destructive";

/** The answer to a press is a card that replaces this one for the person who pressed. */
export interface ExecuteButton {
  readonly type: "Action.Execute";
  readonly title: string;
  readonly verb: string;
  readonly data: ButtonData;
  readonly style?: ButtonStyle;
}

/** In a dialog, the answer to a press is the next page. On a card in a message, a press opens a dialog. */
export interface SubmitButton {
  readonly type: "Action.Submit";
  readonly title: string;
  readonly data: ButtonData & { readonly msteams?: { readonly type: "task/fetch" } };
  readonly style?: ButtonStyle;
}

/** The data that a press returns, besides typed values. Ids only, because it proves nothing. */
export interface ButtonData {
  readonly verb: string;
  readonly request?: string;
  readonly revision?: string;
  /** On a link card: the account as JSON, and the person's id. */
  readonly account?: string;
  readonly identity?: string;
  /** On a form: its `DialogRef` as JSON. */
  readonly ref?: string;
}

type Spacing = "None" | "Small" | "Medium";

/** Teams refuses or truncates larger cards. */
export const cardBytesMax = 20_000;

/** The limit for our layout. It leaves room for what is added for sending: refresh data and summary. */
export const contentBytesMax = cardBytesMax - 3_000;

/** The size as Teams counts it: the JSON in UTF-8. */
export function bytesOf(card: AdaptiveCard): number {
  return new TextEncoder().encode(JSON.stringify(card)).length;
}

export function adaptiveCard(parts: {
  readonly fallbackText: string;
  readonly body: readonly Element[];
  readonly actions: readonly Button[];
}): AdaptiveCard {
  return {
    type: "AdaptiveCard",
    $schema: "http://adaptivecards.io/schemas/adaptive-card.json",
    version: "1.5",
    fallbackText: parts.fallbackText,
    body: [...parts.body],
    actions: [...parts.actions],
    msteams: { width: "full" },
  };
}

/** The card with as many entries as Teams accepts. */
export function cardWithEntries(entriesMax: number, cardOf: (count: number) => AdaptiveCard): AdaptiveCard {
  let card = cardOf(entriesMax);
  for (let count = entriesMax - 1; count >= 0 && bytesOf(card) >= contentBytesMax; count--)
    card = cardOf(count);
  return card;
}

/** Adds the action that Teams runs when these people see the card, so that it shows the current state. */
export function withRefresh(card: AdaptiveCard, userIds: readonly string[], data: ButtonData): AdaptiveCard {
  const action = { type: "Action.Execute", title: "Refresh", verb: data.verb, data } as const;
  return { ...card, refresh: { action, userIds: [...userIds] } };
}

export const cardContentType = "application/vnd.microsoft.card.adaptive";
