"use strict";(()=>{var P=/^(?:https?:\/\/|mailto:|tel:|\/|\.{1,2}\/|[?#])/i;function x({url:e,close:t,snooze:i}){let n=(e??"").trim(),o=/^gist:\/\/(\w+)(?:\?(.*))?$/i.exec(n),r=new URLSearchParams(o?.[2]??""),a=i??(o?.[1]==="snooze"?Number(r.get("showIn")):0);if(a>0)return{type:"snoozes",minutes:Math.ceil(a)};let d=o?.[1]==="loadPage"?r.get("url")??"":n;return P.test(d)?{type:"leads",url:d}:t===!0||o?.[1]==="close"?{type:"closes"}:{type:"stays"}}function c(e,t,...i){let n=document.createElement(e);for(let[o,r]of Object.entries(t))n.setAttribute(o,r);return n.append(...i),n}var T={email:["email","email"],phone:["tel","tel"],name:["text","name"],first_name:["text","given-name"],last_name:["text","family-name"]},$=500;function y({fields:e,submit:t,id:i},n){let o=c("form",{class:"row"});for(let[r,a]of e.entries()){let[d,s]=T[a]??["text","off"],l=`${i}-field-${String(r)}`,m=c("input",{id:l,name:a,type:d,autocomplete:s,maxlength:String($)});m.required=a==="email"||a==="phone",o.append(c("label",{for:l},O(a),m))}return o.append(c("button",{class:"button",type:"submit"},t)),o.addEventListener("submit",r=>{r.preventDefault();let a=[...new FormData(o)].flatMap(([d,s])=>{let l=typeof s=="string"?s.trim():"";return l===""?[]:[[d,l]]});a.length>0&&n(Object.fromEntries(a))}),o}function O(e){return e.charAt(0).toUpperCase()+e.slice(1).replaceAll("_"," ")}var F=0;function w(e,t){let i=`hindsight-${String(++F)}`,{title:n,body:o,html:r,coupon:a,actions:d,form:s}=e,l=[];return n&&l.push(c("h2",{class:"title",id:`${i}-title`},n)),o&&l.push(c("p",{class:"body",id:`${i}-body`},o)),r&&l.push(t.drawHtml(r,n??"Message")),a&&!s&&l.push(v(a,t)),s&&l.push(z(e,i,t)),d&&d.length>0&&l.push(c("div",{class:"row"},...d.map((m,f)=>A(m,f,t)))),{nodes:l,titleId:n?`${i}-title`:void 0,bodyId:o?`${i}-body`:void 0}}function z({form:e,coupon:t},i,{react:n,...o}){let r=c("div",{class:"capture"});if(!e)return r;let a=y({...e,id:i},d=>{let s=c("p",{class:"body",role:"status",tabindex:"-1"},"Thank you.");r.replaceChildren(s,...t?[v(t,{react:n,...o})]:[]),s.focus(),n({event:"submitted",answers:d})});return r.append(a),r}function v(e,{react:t}){let i=c("code",{},e),n=c("button",{class:"button quiet",type:"button"},"Copy code");return n.addEventListener("click",()=>{t({event:"clicked",action:"coupon"});let o=()=>n.replaceChildren("Copied"),r=()=>getSelection()?.selectAllChildren(i);"clipboard"in navigator?navigator.clipboard.writeText(e).then(o,r):r()}),c("div",{class:"row"},i,n)}function A(e,t,{react:i,close:n}){let o=x(e),r={class:t===0?"button":"button quiet"},{name:a,label:d}=e,s=o.type==="leads"?c("a",{...r,href:o.url},d):c("button",{...r,type:"button"},d);return s.addEventListener("click",()=>{switch(o.type){case"snoozes":i({event:"snoozed",action:a,minutes:o.minutes});break;case"closes":i({event:"dismissed",action:a});break;default:i({event:"clicked",action:a})}(o.type!=="stays"||e.close===!0)&&n()}),s}var I={top:"bottom",bottom:"top",left:"right",right:"left"};function k(e,t,i,n){let o={top:e.top-t.height,bottom:i.height-e.top-e.height-t.height,left:e.left-t.width,right:i.width-e.left-e.width-t.width},r=p=>o[p]>=22,a=[n,I[n],"bottom","top"],d=a.find(r)??a.reduce((p,u)=>o[u]>o[p]?u:p),s={left:e.left+(e.width-t.width)/2,top:e.top+(e.height-t.height)/2},l={top:{left:s.left,top:e.top-t.height-10},bottom:{left:s.left,top:e.top+e.height+10},left:{left:e.left-t.width-10,top:s.top},right:{left:e.left+e.width+10,top:s.top}},m=(p,u,b)=>Math.max(12,Math.min(p,b-u-12)),{left:f,top:h}=l[d];return{left:m(f,t.width,i.width),top:m(h,t.height,i.height)}}function g(e){try{let t=document.getElementById(e)??document.querySelector(e);return t instanceof HTMLElement?t:void 0}catch{return}}function E(e,t,i){return e.kind==="modal"?D(e,t,i):N(e,t,i)}function D({position:e},t,i){let n=c("dialog",{class:`message ${e??"center"}`});return n.addEventListener("cancel",o=>{o.preventDefault(),i()}),{box:n,open:()=>{document.body.append(t),n.showModal()},close:()=>{n.close(),t.remove()}}}function N(e,t,i){let{kind:n,title:o}=e,r=n==="inline",a=n==="overlay"?"bottom-right":n==="banner"?"top":"",d=n==="tooltip"?"":e.position??a,s=r?"inline":`fixed ${n} ${d}`,l=c("section",{class:`message ${s}`,role:n==="tooltip"?"dialog":"region"}),m=c("div",{class:"unseen",role:"status"}),f,h;return l.addEventListener("focusin",({relatedTarget:p})=>{p instanceof HTMLElement&&!l.contains(p)&&(f=p)}),l.addEventListener("keydown",({key:p})=>{p==="Escape"&&i()}),{box:l,open:()=>{(r?g(e.element??"")??document.body:document.body).append(t),t.shadowRoot?.append(m),n==="tooltip"&&(h=q(l,e)),setTimeout(()=>m.append(o?`New message: ${o}`:"New message"),100)},close:()=>{let p=t.shadowRoot?.activeElement!==null;h?.(),t.remove(),p&&f?.focus()}}}function q(e,t){let i=()=>{let o=g(t.element??"");if(o===void 0)return;let r={width:e.offsetWidth,height:e.offsetHeight},a=t.position??"bottom",d={width:document.documentElement.clientWidth,height:innerHeight},{left:s,top:l}=k(o.getBoundingClientRect(),r,d,a);e.style.left=`${String(s)}px`,e.style.top=`${String(l)}px`},n=new ResizeObserver(i);return n.observe(e),n.observe(document.documentElement),addEventListener("scroll",i,{passive:!0,capture:!0}),addEventListener("resize",i),i(),()=>{n.disconnect(),removeEventListener("scroll",i,{capture:!0}),removeEventListener("resize",i)}}var B="default-src 'none'; img-src https: data:; style-src 'unsafe-inline'; font-src https: data:",_=":root{color-scheme:light dark}body{margin:0;font:16px/1.45 system-ui,sans-serif;overflow-wrap:anywhere}img{max-width:100%;height:auto}",W=4e3;function H(e,{title:t,clean:i,led:n}){let o=c("iframe",{title:t,sandbox:"allow-same-origin allow-popups allow-popups-to-escape-sandbox allow-top-navigation-by-user-activation",referrerpolicy:"no-referrer"});return o.addEventListener("load",()=>{let r=o.contentDocument?.documentElement;if(!r)return;let a=()=>{o.style.height=`${String(Math.min(W,r.scrollHeight))}px`};a(),r.addEventListener("click",({target:d})=>{let s=d?.closest("a");s&&n(s.href)}),new ResizeObserver(a).observe(r)}),i().then(r=>{o.srcdoc=`<!doctype html><meta charset="utf-8"><meta http-equiv="content-security-policy" content="${B}"><base target="_top"><title></title><style>${_}</style>${r(e)}`},()=>{}),o}function L(e){return new Promise((t,i)=>{let n=document.createElement("script");n.src=e,n.onload=()=>{t()},n.onerror=()=>{n.remove(),i(new Error(`could not load ${e}`))},document.head.append(n)})}var S=document.currentScript,j=S?.src?S.src.split("/v1/plugins/")[0]:location.href.replace(/\/index\.html.*$/,"");async function C(){if(window.hindsightCleanHtml===void 0&&await L(`${j??""}/v1/plugins/in-app/html`),window.hindsightCleanHtml===void 0)throw new Error("what cleans html left nothing in the page");return window.hindsightCleanHtml}var K=`
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
`;function R(e){let t=new CSSStyleSheet;t.replaceSync(K),e.adoptedStyleSheets=[t]}/*!
 * Hindsight: on-site messages, what shows them. Apache-2.0.
 */function U(e,t){let i=c("div",{"data-hindsight-message":e.kind}),n=i.attachShadow({mode:"open"});R(n);let o=!0,r=()=>{o&&(o=!1,d.close())},a=()=>{o&&(r(),t({event:"dismissed"}))},d=E(e,i,a),{box:s}=d,l=(u,b)=>H(u,{title:b,clean:C,led:M=>t({event:"clicked",action:M})}),{nodes:m,titleId:f,bodyId:h}=w(e,{react:t,close:r,drawHtml:l});f===void 0?s.setAttribute("aria-label",e.body??"Message"):s.setAttribute("aria-labelledby",f),h!==void 0&&s.setAttribute("aria-describedby",h);let p=c("button",{class:"close",type:"button","aria-label":"Close"},"×");return p.addEventListener("click",a),s.append(...m,p),n.append(s),d.open(),{close:r,isOpen:()=>o}}var Y={hasPlace:({kind:e,element:t})=>e!=="inline"&&e!=="tooltip"||g(t??"")!==void 0,show:U};window.hindsightRenderer=Y;})();
