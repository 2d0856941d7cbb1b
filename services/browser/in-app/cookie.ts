/** As track.js reads it, or polls and events are of two visitors: the last of several, and as it stands where it is broken. */
export function cookieIn(cookies: string, name: string): string | undefined {
  const value = `; ${cookies}`.split(`; ${name}=`).slice(1).pop()?.split(';')[0];
  try {
    return value ? decodeURIComponent(value) : undefined;
  } catch {
    return value;
  }
}
