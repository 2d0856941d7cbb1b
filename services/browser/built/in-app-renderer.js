"use strict";(()=>{var $=/^(?:https?:\/\/|mailto:|tel:|\/|\.{1,2}\/|[?#])/i;function y({url:e,close:t,snooze:i}){let n=(e??"").trim(),o=/^gist:\/\/(\w+)(?:\?(.*))?$/i.exec(n),r=new URLSearchParams(o?.[2]??""),a=i??(o?.[1]==="snooze"?Number(r.get("showIn")):0);if(a>0)return{type:"snoozes",minutes:Math.ceil(a)};let l=o?.[1]==="loadPage"?r.get("url")??"":n;return $.test(l)?{type:"leads",url:l}:t===!0||o?.[1]==="close"?{type:"closes"}:{type:"stays"}}function c(e,t,...i){let n=document.createElement(e);for(let[o,r]of Object.entries(t))n.setAttribute(o,r);return n.append(...i),n}var O={email:["email","email"],phone:["tel","tel"],name:["text","name"],first_name:["text","given-name"],last_name:["text","family-name"]},F=500;function w({fields:e,submit:t,id:i},n){let o=c("form",{class:"row"});for(let[r,a]of e.entries()){let[l,s]=O[a]??["text","off"],d=`${i}-field-${String(r)}`,m=c("input",{id:d,name:a,type:l,autocomplete:s,maxlength:String(F)});m.required=a==="email"||a==="phone",o.append(c("label",{for:d},A(a),m))}return o.append(c("button",{class:"button",type:"submit"},t)),o.addEventListener("submit",r=>{r.preventDefault();let a=[...new FormData(o)].flatMap(([l,s])=>{let d=typeof s=="string"?s.trim():"";return d===""?[]:[[l,d]]});a.length>0&&n(Object.fromEntries(a))}),o}function A(e){return e.charAt(0).toUpperCase()+e.slice(1).replaceAll("_"," ")}var z=0;function v(e,t){let i=`hindsight-${String(++z)}`,{title:n,body:o,html:r,coupon:a,actions:l,form:s}=e,d=[];n&&d.push(c("h2",{class:"title",id:`${i}-title`},n)),o&&d.push(c("p",{class:"body",id:`${i}-body`},o)),r&&d.push(t.drawHtml(r,n??"Message")),a&&!s&&d.push(k(a,t));let m=(l??[]).map((f,p)=>N(f,p,t)),h=()=>l?.forEach((f,p)=>D(f)&&m[p]?.remove());return s&&d.push(I(e,i,{...t,answered:h})),m.length>0&&d.push(c("div",{class:"row"},...m)),{nodes:d,titleId:n?`${i}-title`:void 0,bodyId:o?`${i}-body`:void 0}}function D(e){let{type:t}=y(e);return t==="closes"||t==="snoozes"}function I({form:e,coupon:t},i,{react:n,answered:o}){let r=c("div",{class:"capture"});if(!e)return r;let a=w({...e,id:i},l=>{let s=c("p",{class:"body",role:"status",tabindex:"-1"},"Thank you.");r.replaceChildren(s,...t?[k(t,{react:n})]:[]),s.focus(),o(),n({event:"submitted",answers:l})});return r.append(a),r}function k(e,{react:t}){let i=c("code",{},e),n=c("button",{class:"button quiet",type:"button"},"Copy code");return n.addEventListener("click",()=>{t({event:"clicked",action:"coupon"});let o=()=>n.replaceChildren("Copied"),r=()=>getSelection()?.selectAllChildren(i);"clipboard"in navigator?navigator.clipboard.writeText(e).then(o,r):r()}),c("div",{class:"row"},i,n)}function N(e,t,{react:i,close:n}){let o=y(e),r={class:t===0?"button":"button quiet"},{name:a,label:l}=e,s=o.type==="leads"?c("a",{...r,href:o.url},l):c("button",{...r,type:"button"},l);return s.addEventListener("click",()=>{switch(o.type){case"snoozes":i({event:"snoozed",action:a,minutes:o.minutes});break;case"closes":i({event:"dismissed",action:a});break;default:i({event:"clicked",action:a})}(o.type!=="stays"||e.close===!0)&&n()}),s}var q={top:"bottom",bottom:"top",left:"right",right:"left"};function E(e,t,i,n){let o={top:e.top-t.height,bottom:i.height-e.top-e.height-t.height,left:e.left-t.width,right:i.width-e.left-e.width-t.width},r=p=>o[p]>=22,a=[n,q[n],"bottom","top"],l=a.find(r)??a.reduce((p,u)=>o[u]>o[p]?u:p),s={left:e.left+(e.width-t.width)/2,top:e.top+(e.height-t.height)/2},d={top:{left:s.left,top:e.top-t.height-10},bottom:{left:s.left,top:e.top+e.height+10},left:{left:e.left-t.width-10,top:s.top},right:{left:e.left+e.width+10,top:s.top}},m=(p,u,g)=>Math.max(12,Math.min(p,g-u-12)),{left:h,top:f}=d[l];return{left:m(h,t.width,i.width),top:m(f,t.height,i.height)}}function x(e){try{let t=document.getElementById(e)??document.querySelector(e);return t instanceof HTMLElement?t:void 0}catch{return}}function H(e,t,i){return e.kind==="modal"?B(e,t,i):_(e,t,i)}function B({position:e},t,i){let n=c("dialog",{class:`message ${e??"center"}`});return n.addEventListener("cancel",o=>{o.preventDefault(),i()}),{box:n,open:()=>{document.body.append(t),n.showModal()},close:()=>{n.close(),t.remove()}}}function _(e,t,i){let{kind:n,title:o}=e,r=n==="inline",a=n==="overlay"?"bottom-right":n==="banner"?"top":"",l=n==="tooltip"?"":e.position??a,s=r?"inline":`fixed ${n} ${l}`,d=c("section",{class:`message ${s}`,role:n==="tooltip"?"dialog":"region"}),m=c("div",{class:"unseen",role:"status"}),h,f;return d.addEventListener("focusin",({relatedTarget:p})=>{p instanceof HTMLElement&&!d.contains(p)&&(h=p)}),d.addEventListener("keydown",({key:p})=>{p==="Escape"&&i()}),{box:d,open:()=>{(r?x(e.element??"")??document.body:document.body).append(t),t.shadowRoot?.append(m),n==="tooltip"&&(f=W(d,e)),setTimeout(()=>m.append(o?`New message: ${o}`:"New message"),100)},close:()=>{let p=t.shadowRoot?.activeElement!==null;f?.(),t.remove(),p&&h?.focus()}}}function W(e,t){let i=()=>{let o=x(t.element??"");if(o===void 0)return;let r={width:e.offsetWidth,height:e.offsetHeight},a=t.position??"bottom",l={width:document.documentElement.clientWidth,height:innerHeight},{left:s,top:d}=E(o.getBoundingClientRect(),r,l,a);e.style.left=`${String(s)}px`,e.style.top=`${String(d)}px`},n=new ResizeObserver(i);return n.observe(e),n.observe(document.documentElement),addEventListener("scroll",i,{passive:!0,capture:!0}),addEventListener("resize",i),i(),()=>{n.disconnect(),removeEventListener("scroll",i,{capture:!0}),removeEventListener("resize",i)}}var j="default-src 'none'; img-src https: data:; style-src 'unsafe-inline'; font-src https: data:",K=":root{color-scheme:light dark}body{margin:0;font:16px/1.45 system-ui,sans-serif;overflow-wrap:anywhere}img{max-width:100%;height:auto}",U=4e3;function L(e,{title:t,clean:i,led:n}){let o=c("iframe",{title:t,sandbox:"allow-same-origin allow-popups allow-popups-to-escape-sandbox allow-top-navigation-by-user-activation",referrerpolicy:"no-referrer"});return o.addEventListener("load",()=>{let r=o.contentDocument?.documentElement;if(!r)return;let a=()=>{o.style.height=`${String(Math.min(U,r.scrollHeight))}px`};a(),r.addEventListener("click",({target:l})=>{let s=l?.closest("a");s&&n(s.href)}),new ResizeObserver(a).observe(r)}),i().then(r=>{o.srcdoc=`<!doctype html><meta charset="utf-8"><meta http-equiv="content-security-policy" content="${j}"><base target="_top"><title></title><style>${K}</style>${r(e)}`},()=>{}),o}function R(e){return new Promise((t,i)=>{let n=document.createElement("script");n.src=e,n.onload=()=>{t()},n.onerror=()=>{n.remove(),i(new Error(`could not load ${e}`))},document.head.append(n)})}var S=document.currentScript,Y=S?.src?S.src.split("/v1/plugins/")[0]:location.href.replace(/\/index\.html.*$/,"");async function C(){if(window.hindsightCleanHtml===void 0&&await R(`${Y??""}/v1/plugins/in-app/html`),window.hindsightCleanHtml===void 0)throw new Error("what cleans html left nothing in the page");return window.hindsightCleanHtml}var G=`
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
`;function M(e){let t=new CSSStyleSheet;t.replaceSync(G),e.adoptedStyleSheets=[t]}/*!
 * Hindsight: on-site messages, what shows them. Apache-2.0.
 */function J(e,t){let i=c("div",{"data-hindsight-message":e.kind}),n=i.attachShadow({mode:"open"});M(n);let o=!0,r=!1,a=()=>{o&&(o=!1,d.close())},l=()=>{o&&(a(),r||t({event:"dismissed"}))},s=b=>{b.event==="submitted"&&(r=!0),t(b)},d=H(e,i,l),{box:m}=d,h=(b,P)=>L(b,{title:P,clean:C,led:T=>t({event:"clicked",action:T})}),{nodes:f,titleId:p,bodyId:u}=v(e,{react:s,close:a,drawHtml:h});p===void 0?m.setAttribute("aria-label",e.body??"Message"):m.setAttribute("aria-labelledby",p),u!==void 0&&m.setAttribute("aria-describedby",u);let g=c("button",{class:"close",type:"button","aria-label":"Close"},"×");return g.addEventListener("click",l),m.append(...f,g),n.append(m),d.open(),{close:a,isOpen:()=>o}}var Q={hasPlace:({kind:e,element:t})=>e!=="inline"&&e!=="tooltip"||x(t??"")!==void 0,show:J};window.hindsightRenderer=Q;})();
