import type { SubmissionFacts, TextConditionType } from "./conditions.ts";
import type { ComparedText } from "./pattern-matching.ts";
import type { Scope } from "../values/ids.ts";
import { actionOf, resourceOf } from "../values/scopes.ts";

/** Where texts are read from: one scope of a request, and the facts of its submission. */
export interface TextSource {
  readonly scope: Scope;
  readonly facts: SubmissionFacts;
}

/** How to read one kind of text, such as the e-mail address. All operators follow its `ignoresCase`. */
export interface TextField {
  readonly ignoresCase: boolean;
  readonly texts: (source: TextSource) => readonly string[];
}

/** The kinds of text that each type of condition is compared with. One match is enough. */
export const textFields: Readonly<Record<TextConditionType, readonly TextField[]>> = {
  RESOURCE: [{ ignoresCase: false, texts: ({ scope }) => [resourceOf(scope)] }],
  ACTION: [{ ignoresCase: false, texts: ({ scope }) => [actionOf(scope)] }],
  SCOPE: [{ ignoresCase: false, texts: ({ scope }) => [scope] }],
  IDENTITY: [
    { ignoresCase: false, texts: ({ facts }) => [facts.subject.id] },
    { ignoresCase: true, texts: ({ facts }) => asList(facts.subject.email) },
  ],
  GROUP: [{ ignoresCase: false, texts: ({ facts }) => facts.subject.groups }],
  KIND: [{ ignoresCase: false, texts: ({ facts }) => [facts.subject.kind] }],
  REASON: [{ ignoresCase: false, texts: ({ facts }) => [facts.reason] }],
  TICKET: [{ ignoresCase: false, texts: ({ facts }) => asList(facts.ticket) }],
};

/** The texts in the form they are compared in: lower case where case is ignored. */
export function comparedTexts(type: TextConditionType, source: TextSource): readonly ComparedText[] {
  return textFields[type].flatMap(({ ignoresCase, texts }) =>
    texts(source).map((text) => ({ text: ignoresCase ? text.toLowerCase() : text, folded: ignoresCase })),
  );
}

function asList(text: string | undefined): readonly string[] {
  return text === undefined ? [] : [text];
}
