/**
 * Removes word joiners and zero-width spaces from typed text. We put word joiners into messages so that user text is
 * not read as formatting, and copying brings them back. Joiners inside emoji and direction marks belong to the text
 * and stay.
 */
export function removeJoiners(text: string): string {
  return text.replaceAll(/[\u200B\u2060\uFEFF]/g, "");
}
