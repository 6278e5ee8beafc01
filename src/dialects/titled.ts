/** The text of a document, under its title where it has one: for models that take no documents but can read their text. */
export function titled(title: string | undefined, text: string): string {
  return title === undefined || title === '' ? text : `${title}\n\n${text}`
}
