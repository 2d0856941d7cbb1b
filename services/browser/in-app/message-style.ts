/**
 * How a message looks. In a shadow root: the shop's rules do not reach it, its own reach nothing else. A shop gives it its
 * own look by the custom properties, which do reach it. Both colour schemes have a contrast of 4.5 and more. A browser of
 * before 2024 does not know light-dark(): without a colour of its own the paper would be transparent, so it has the light ones.
 */
const text = `
:host { all: initial; color-scheme: inherit; }
.message {
  --accent: var(--hindsight-accent, light-dark(#1b4f9c, #9cc3ff));
  --on-accent: var(--hindsight-on-accent, light-dark(#fff, #0a1a33));
  --paper: var(--hindsight-background, light-dark(#fff, #1d2026));
  --ink: var(--hindsight-text, light-dark(#1a1c20, #f2f3f5));
  --line: light-dark(#767b85, #8d94a1);
  box-sizing: border-box; margin: 0; padding: 20px; border: 1px solid var(--line);
  border-radius: var(--hindsight-radius, 10px); background: var(--paper); color: var(--ink);
  font: var(--hindsight-font, 16px/1.45 system-ui, sans-serif); overflow-wrap: anywhere; text-align: start;
  max-height: calc(100dvh - 24px); overflow: auto;
}
@supports not (color: light-dark(#000, #fff)) {
  .message {
    --accent: var(--hindsight-accent, #1b4f9c); --on-accent: var(--hindsight-on-accent, #fff);
    --paper: var(--hindsight-background, #fff); --ink: var(--hindsight-text, #1a1c20); --line: #767b85;
  }
}
.light { color-scheme: light; } .dark { color-scheme: dark; }
*, *::before { box-sizing: border-box; }
.title { font-size: 1.2em; line-height: 1.25; margin: 0 36px 8px 0; font-weight: 650; }
.body { margin: 0 0 12px; white-space: pre-line; }
.message:not(:has(.title)) .body { margin-inline-end: 36px; }
iframe { display: block; width: 100%; border: 0; height: 0; color-scheme: inherit; }
.row { display: flex; flex-wrap: wrap; gap: 8px; margin-top: 12px; align-items: end; }
label { display: block; flex: 1 1 180px; font-size: .9em; }
input { display: block; width: 100%; margin-top: 4px; font: inherit; min-height: 44px; padding: 8px 10px;
  border: 1px solid var(--line); border-radius: 6px; background: var(--paper); color: var(--ink); }
.button { display: inline-flex; align-items: center; justify-content: center; min-height: 44px; padding: 8px 16px; cursor: pointer; font: inherit;
  border: 1px solid var(--accent); border-radius: 6px; background: var(--accent); color: var(--on-accent); text-decoration: none; }
.button.quiet { background: transparent; color: var(--ink); border-color: var(--line); }
.close { position: absolute; inset-block-start: 6px; inset-inline-end: 6px; width: 44px; height: 44px; border: 0; border-radius: 6px;
  background: transparent; color: var(--ink); font: 24px/1 system-ui, sans-serif; cursor: pointer; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
code { font: 600 1.1em ui-monospace, monospace; padding: 8px 12px; border: 1px dashed var(--line); border-radius: 6px; min-height: 44px; }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
dialog { position: fixed; inset: 0; width: min(480px, calc(100vw - 24px)); height: fit-content; margin: auto !important; }
dialog.top { margin-top: 12px !important; } dialog.bottom { margin-bottom: 12px !important; }
dialog::backdrop { background: rgb(0 0 0 / .5); }
.inline { position: relative; width: 100%; max-height: none; }
.fixed { position: fixed; z-index: 2147483000; box-shadow: 0 6px 28px rgb(0 0 0 / .28); width: min(380px, calc(100vw - 24px)); }
.fixed.top, .fixed.bottom { left: 50%; translate: -50%; width: min(560px, calc(100vw - 24px)); }
.fixed.left, .fixed.right { top: 50%; translate: 0 -50%; }
.top, .top-left, .top-right { top: 12px; } .bottom, .bottom-left, .bottom-right { bottom: 12px; }
.left, .top-left, .bottom-left { left: 12px; } .right, .top-right, .bottom-right { right: 12px; }
.banner.top, .banner.bottom { left: 0; translate: none; width: 100%; border-radius: 0; border-inline: 0; max-height: 60dvh; }
.banner.top { top: 0; } .banner.bottom { bottom: 0; }
.tooltip { width: min(300px, calc(100vw - 24px)); }
@media (max-width: 480px) {
  .fixed:not(.tooltip, .banner) { left: 12px; right: 12px; width: auto; translate: none; }
  .fixed.left, .fixed.right { top: auto; bottom: 12px; }
}
@media (prefers-reduced-motion: no-preference) {
  .message { animation: come .18s ease-out; }
  @keyframes come { from { opacity: 0; } }
}
@media (forced-colors: active) { .button, input { border: 1px solid; } }
`;

/** Made once. A policy for styles in the shop's page does not forbid it, as it would a style element. */
export function styleInto(root: ShadowRoot): void {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(text);
  root.adoptedStyleSheets = [sheet];
}
