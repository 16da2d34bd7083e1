import type { ServiceAlert } from "../core/effects.ts";
import { formatInstant } from "../core/time.ts";
import { durationWords } from "./duration-words.ts";
import type { NoteText } from "./request-note.ts";

/** What administrators read when the service itself needs them. */
export function alertNote({ lastCommitAt, behindMs }: ServiceAlert): NoteText {
  return {
    heading: ["The system clock is behind: no new access is given"],
    lines: [
      [
        `When the service started, the system clock was ${durationWords(behindMs)} before `,
        { time: formatInstant(lastCommitAt) },
        ", the time of the last recorded change.",
      ],
      ["Access that has ended stays ended. Checks, denials and endings work."],
      [
        "Set the clock right. If that recorded time is the wrong one: stop the service, and run npm run accept-clock.",
      ],
    ],
    actions: [],
  };
}
