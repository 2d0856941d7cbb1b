/**
 * Anonymous ids that somebody computed, in seconds, to have the hash of another visitor's lane, when that was murmur3 with
 * fixed seeds. All three lanes lie in the same partition of eight. Tests only.
 */
export const victim = 'victim-1';
/** `default:a:` and this had the hash of `default:a:victim-1`. */
export const twin = 'vs2bcaaaaaaaaaaaaaaaaa2M#~)8dTb4nP`\\;$';
/** `evil:a:` and this had the hash of `default:a:victim-1`. */
export const twinElsewhere = {
  workspace: 'evil',
  anonymousId: 'hfoegbaaaaaaaaaaaaaaaaaaa4dO+11VK4HKBZe5Z',
};
