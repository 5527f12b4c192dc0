/** Where the icon is: the document knows, since the folder has another name for each version. */
export function iconAddress(): string {
  return document.querySelector<HTMLLinkElement>('link[rel="icon"]')?.href ?? "";
}
