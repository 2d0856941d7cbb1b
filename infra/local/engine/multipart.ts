/** multipart/form-data with text parts: how the clients send many or long query parameters. */
export function partsOf(body: Buffer, contentType: string): Map<string, string> {
  const boundary = /boundary=("?)([^";]+)\1/.exec(contentType)?.[2];
  const parts = new Map<string, string>();
  if (boundary === undefined) return parts;
  for (const part of body.toString().split(`--${boundary}`).slice(1, -1)) {
    const headEnd = part.indexOf('\r\n\r\n');
    const name = /name="([^"]*)"/.exec(part.slice(0, headEnd))?.[1];
    if (headEnd >= 0 && name !== undefined) parts.set(name, part.slice(headEnd + 4, -2));
  }
  return parts;
}
