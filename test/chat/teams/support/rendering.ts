import { Window } from "happy-dom";

const window = new Window();
// The library needs a browser page, which must exist before it is loaded.
const { document, HTMLElement, HTMLButtonElement, HTMLInputElement, Node } = window;
Object.assign(globalThis, { window, document, HTMLElement, HTMLButtonElement, HTMLInputElement, Node });
const { AdaptiveCard, SerializationContext } = await import("adaptivecards");

/** The Markdown that Teams reads in text blocks, as far as it could mislead people. */
AdaptiveCard.onProcessMarkdown = (text, result) => {
  result.outputHtml = text
    .replaceAll(/\[([^\]]*)\]\(([^)]*)\)/g, '<a href="$2">$1</a>')
    .replaceAll(/(?<!")https?:\/\/\S+/g, '<a href="$&">$&</a>')
    .replaceAll(/\*\*([^*]+)\*\*/g, "<strong>$1</strong>")
    .replaceAll(/_([^_]+)_/g, "<em>$1</em>")
    .replaceAll(/^- (.*)$/gm, "<li>$1</li>");
  result.didProcess = true;
};

/** The problems that the card library of Teams finds. */
export function problemsOf(card: object): readonly string[] {
  return parsed(card).problems;
}

/** The rendered card as its reader sees it. */
export function shownBy(card: object): {
  /** One text for each row. */
  readonly texts: readonly string[];
  readonly links: readonly string[];
  /** Markup and scripts that the library did not add itself. */
  readonly markup: readonly string[];
} {
  const drawn: unknown = parsed(card).card.render();
  if (!(drawn instanceof HTMLElement)) throw new Error("the card was not rendered");
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
