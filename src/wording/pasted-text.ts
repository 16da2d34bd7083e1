/**
 * What was typed or pasted, without the marks that show nothing: word joiners and zero-width spaces. We put word joiners
 * into messages so that people's words are not read as formatting, and what is copied from there brings them back.
 * Joiners inside emoji and marks of direction belong to the words and stay.
 */
export function pastedText(text: string): string {
  return text.replaceAll(/[\u200B\u2060\uFEFF]/g, "");
}
