import type { SubmissionFacts, TextSubject } from "./conditions.ts";
import type { Subject } from "./pattern-matching.ts";
import type { Scope } from "../values/ids.ts";
import { actionOf, resourceOf } from "../values/scopes.ts";

/** What a request is known by while its conditions are evaluated for one scope. */
export interface TextSource {
  readonly scope: Scope;
  readonly facts: SubmissionFacts;
}

/** One kind of text that a condition is compared with. Every operator follows its `ignoresCase`. */
export interface TextField {
  readonly ignoresCase: boolean;
  readonly texts: (source: TextSource) => readonly string[];
}

/** Every text a condition of this type is compared with; it is met by any one of them. */
export const textFields: Readonly<Record<TextSubject, readonly TextField[]>> = {
  RESOURCE: [{ ignoresCase: false, texts: ({ scope }) => [resourceOf(scope)] }],
  ACTION: [{ ignoresCase: false, texts: ({ scope }) => [actionOf(scope)] }],
  SCOPE: [{ ignoresCase: false, texts: ({ scope }) => [scope] }],
  IDENTITY: [
    { ignoresCase: false, texts: ({ facts }) => [facts.subject.id] },
    { ignoresCase: true, texts: ({ facts }) => optional(facts.subject.email) },
  ],
  GROUP: [{ ignoresCase: false, texts: ({ facts }) => facts.subject.groups }],
  KIND: [{ ignoresCase: false, texts: ({ facts }) => [facts.subject.kind] }],
  REASON: [{ ignoresCase: false, texts: ({ facts }) => [facts.reason] }],
  TICKET: [{ ignoresCase: false, texts: ({ facts }) => optional(facts.ticket) }],
};

/** The texts as they are compared: in lower case where case does not count. */
export function comparedTexts(type: TextSubject, source: TextSource): readonly Subject[] {
  return textFields[type].flatMap(({ ignoresCase, texts }) =>
    texts(source).map((text) => ({ text: ignoresCase ? text.toLowerCase() : text, folded: ignoresCase })),
  );
}

function optional(text: string | undefined): readonly string[] {
  return text === undefined ? [] : [text];
}
