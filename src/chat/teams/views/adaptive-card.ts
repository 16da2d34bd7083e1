/*
 * The part of Adaptive Cards 1.5 that our cards are made of. A test holds these types to Microsoft's own.
 */

export interface AdaptiveCard {
  readonly type: "AdaptiveCard";
  readonly $schema: "http://adaptivecards.io/schemas/adaptive-card.json";
  readonly version: "1.5";
  /** For clients that cannot show the card. */
  readonly fallbackText: string;
  readonly body: Element[];
  readonly actions: Button[];
  /** Looked at again when one of these people sees it. */
  readonly refresh?: { readonly action: ExecuteButton; readonly userIds: string[] };
  readonly msteams?: { readonly width: "full"; readonly entities?: MentionEntity[] };
}

/** Somebody who is called where `text` stands in a text block. */
export interface MentionEntity {
  readonly type: "mention";
  readonly text: string;
  readonly mentioned: { readonly id: string; readonly name: string };
}

export type Element = TextBlock | RichTextBlock | Container | ActionSet | TextInput | ChoiceInput;

/** Reads Markdown and makes links of addresses: only for our own words. */
export interface TextBlock {
  readonly type: "TextBlock";
  readonly text: string;
  readonly wrap: true;
  readonly size?: "Small" | "Medium";
  readonly weight?: "Bolder";
  readonly isSubtle?: boolean;
  readonly spacing?: Spacing;
}

/** Shows its runs as they are. */
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
  /** Further choices are asked for while the reader types. */
  readonly "choices.data"?: { readonly type: "Data.Query"; readonly dataset: string };
}

export type Button = ExecuteButton | SubmitButton;
export type ButtonStyle = "positive" | "destructive";

/** A press of it is answered with the card that takes this one's place before the eyes of whoever pressed. */
export interface ExecuteButton {
  readonly type: "Action.Execute";
  readonly title: string;
  readonly verb: string;
  readonly data: ButtonData;
  readonly style?: ButtonStyle;
}

/** In a dialog: a press of it is answered with the dialog's next page. On a card: opens a dialog. */
export interface SubmitButton {
  readonly type: "Action.Submit";
  readonly title: string;
  readonly data: ButtonData & { readonly msteams?: { readonly type: "task/fetch" } };
  readonly style?: ButtonStyle;
}

/** What a press brings back, besides what was typed. Ids only: it is no proof of anything. */
export interface ButtonData {
  readonly verb: string;
  readonly request?: string;
  readonly revision?: string;
  /** Of a link card: the account and the person, as JSON and id. */
  readonly account?: string;
  readonly identity?: string;
  /** Of a form: what it is about, as JSON. */
  readonly ref?: string;
}

type Spacing = "None" | "Small" | "Medium";

/** Teams refuses or cuts what is larger. */
export const cardBytesMax = 20_000;

/** What we lay out, so that what is added for sending still fits: who it is refreshed for, and the summary. */
export const contentBytesMax = cardBytesMax - 3_000;

/** As it is counted: UTF-8 of the JSON. */
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

/** The card with a press of its own for whenever it comes into view of these people, so that it is true by then. */
export function refreshing(card: AdaptiveCard, userIds: readonly string[], data: ButtonData): AdaptiveCard {
  const action = { type: "Action.Execute", title: "Refresh", verb: data.verb, data } as const;
  return { ...card, refresh: { action, userIds: [...userIds] } };
}

export const cardContentType = "application/vnd.microsoft.card.adaptive";
