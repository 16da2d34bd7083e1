import type { ServiceAlert } from "../core/effects/effects.ts";
import { formatInstant } from "../core/values/time.ts";
import { durationWords } from "./duration-words.ts";
import type { NoteText } from "./request-notice-text.ts";

const stillWorks = "Checks, denials and endings work.";

/** The note to administrators when the service itself needs them. */
export function alertNote(alert: ServiceAlert): NoteText {
  switch (alert.name) {
    case "clock_behind":
      return {
        heading: ["The system clock is behind: no new access is given"],
        lines: [
          [
            `When the service started, the system clock was ${durationWords(alert.behindMs)} before `,
            { time: formatInstant(alert.lastCommitAt) },
            ", the time of the last recorded change.",
          ],
          [`Access that has ended stays ended. ${stillWorks}`],
          [
            "Set the clock right. If that recorded time is the wrong one: stop the service, and run npm run accept-clock.",
          ],
        ],
        actions: [],
      };
    case "disk_full":
      return {
        heading: ["The disk is full: no new access is given"],
        lines: [
          [
            `Checks continue. Endings and denials are recorded in space reserved for them, as long as it lasts.`,
          ],
          ["Make room on the disk of the data folder; nothing else is needed."],
        ],
        actions: [],
      };
    case "audit_head_differs":
      return {
        heading: ["The audit log has lost records: no new access is given"],
        lines: [
          [
            "It does not contain the last record that the service saw. Somebody replaced the database, or it lost its end.",
          ],
          [`Access that was ended in the lost records may work again. ${stillWorks}`],
          [
            "Compare the log with your copy, end what must not be open, then stop the service, and run npm run accept-head.",
          ],
        ],
        actions: [],
      };
  }
}
