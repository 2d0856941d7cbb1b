/** Phone numbers in the one form in which they can name somebody: E.164. The only importer of libphonenumber-js. */
import { isSupportedCountry, parsePhoneNumberFromString } from 'libphonenumber-js/min';

/** A longer text is no phone number; E.164 has 15 digits. */
const phoneCharsMax = 64;

/**
 * `+4930123456`, or undefined for what is no number that could exist.
 * @param country ISO 3166-1, for numbers without a country's code; null: these are none.
 */
export function e164(text: string, country: string | null): string | undefined {
  if (text.length > phoneCharsMax) return undefined;
  const defaultCountry = country !== null && isSupportedCountry(country) ? country : undefined;
  const options = { extract: false, ...(defaultCountry === undefined ? {} : { defaultCountry }) };
  const parsed = parsePhoneNumberFromString(text, options);
  return parsed?.isValid() === true ? parsed.number : undefined;
}

export function isPhoneCountry(country: string): boolean {
  return isSupportedCountry(country);
}
