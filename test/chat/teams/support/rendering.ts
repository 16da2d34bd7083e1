import { Window } from "happy-dom";

const window = new Window();
// The library draws into a browser's page; it is given one before it is loaded.
const { document, HTMLElement, HTMLButtonElement, HTMLInputElement, Node } = window;
Object.assign(globalThis, { window, document, HTMLElement, HTMLButtonElement, HTMLInputElement, Node });
const { AdaptiveCard, SerializationContext } = await import("adaptivecards");

/** The marks that Teams makes of a text block's words, as far as anybody could be fooled with them. */
AdaptiveCard.onProcessMarkdown = (text, result) => {
  result.outputHtml = text
    .replaceAll(/\[([^\]]*)\]\(([^)]*)\)/g, '<a href="$2">$1</a>')
    .replaceAll(/(?<!")https?:\/\/\S+/g, '<a href="$&">$&</a>')
    .replaceAll(/\*\*([^*]+)\*\*/g, "<strong>$1</strong>")
    .replaceAll(/_([^_]+)_/g, "<em>$1</em>")
    .replaceAll(/^- (.*)$/gm, "<li>$1</li>");
  result.didProcess = true;
};

/** What Teams' own card library finds wrong. */
export function problemsOf(card: object): readonly string[] {
  return parsed(card).problems;
}

/** What a reader of the drawn card sees. */
export function shownBy(card: object): {
  /** Row by row. */
  readonly texts: readonly string[];
  readonly links: readonly string[];
  /** Formats and programs that are not the library's own. */
  readonly markup: readonly string[];
} {
  const drawn: unknown = parsed(card).card.render();
  if (!(drawn instanceof HTMLElement)) throw new Error("nothing was drawn");
  const all = (selector: string) => [...drawn.querySelectorAll(selector)];
  return {
    texts: all(".ac-richTextBlock, .ac-textBlock").map(({ textContent }) => textContent ?? ""),
    links: all("a").map((one) => one.getAttribute("href") ?? ""),
    markup: all("strong, em, li, script, img, at").map(({ outerHTML }) => outerHTML),
  };
}

function parsed(json: object) {
  const context = new SerializationContext();
  const card = new AdaptiveCard();
  card.parse(JSON.parse(JSON.stringify(json)), context);
  const problems = Array.from({ length: context.eventCount }, (_, at) => context.getEventAt(at).message);
  return { card, problems };
}
