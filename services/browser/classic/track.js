/*!
 * Hindsight: the script behind the classic snippet, so that a page that queues calls in `_cio` needs another address and
 * nothing else. Apache-2.0.
 *
 * <script id="cio-tracker" src="https://HOST/assets/WRITE_KEY/track.js">: host and key are those of the address. A visitor
 * is known by the cookie _cioanonid, a person by _cioid. Calls go to /v1/i, /v1/t and /v1/p; those that do not get through
 * wait in the browser, under the message id that they have, and are sent again.
 */
(function (window, document) {
  'use strict';
  var queued = window._cio;
  if (queued && queued.isRunning) return;
  var script = document.getElementById('cio-tracker') || document.currentScript;
  var place = /^(https?:\/\/[^/]+(?:\/.*)?)\/assets\/([^/]+)\/track\.js(?:[?#]|$)/.exec(
    (script && script.src) || '',
  );
  if (!place) return;
  var base = place[1];
  var writeKey = decodeURIComponent(place[2]);

  var COOKIE_DAYS = 365;
  var WAITING_KEY = '_ciowaiting';
  var WAITING_CALLS_MAX = 100;
  var KEEPALIVE_BYTES_MAX = 60000;
  var RETRY_MS = 5000;
  var DAY_MS = 86400000;
  /** What the workspace says; the server writes it in. */
  var workspace = {};
  var consentLimits = workspace.consent || { eventsMax: WAITING_CALLS_MAX, daysMax: 14 };
  var isConsentNeeded = workspace.consent !== undefined || script.getAttribute('data-consent') === 'required';
  /** Of what waits for consent or for an answer. */
  var callsMax = isConsentNeeded ? consentLimits.eventsMax : WAITING_CALLS_MAX;

  function cookie(name) {
    var found = ('; ' + document.cookie).split('; ' + name + '=');
    var value = found.length < 2 ? '' : found.pop().split(';')[0];
    try {
      return decodeURIComponent(value);
    } catch {
      return value;
    }
  }

  /** On the widest domain that takes it, so that the shop's other hosts know the visitor too. */
  function setCookie(name, value, days) {
    var parts = location.hostname.split('.');
    var text = name + '=' + encodeURIComponent(value) + '; path=/; samesite=lax; max-age=' + days * 86400;
    if (location.protocol === 'https:') text += '; secure';
    for (var from = parts.length - 2; from >= 0; from--) {
      document.cookie = text + '; domain=.' + parts.slice(from).join('.');
      if (cookie(name) === value) return;
    }
    document.cookie = text;
  }

  function uuid() {
    var bytes = window.crypto.getRandomValues(new Uint8Array(16));
    bytes[6] = (bytes[6] & 15) | 64;
    bytes[8] = (bytes[8] & 63) | 128;
    var hex = Array.prototype.map.call(bytes, function (byte) {
      return (byte + 256).toString(16).slice(1);
    });
    return hex.join('').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
  }

  var memory = {};
  function remembered(name) {
    return cookie(name) || memory[name] || '';
  }
  function remember(name, value) {
    memory[name] = value;
    setCookie(name, value, value === '' ? 0 : COOKIE_DAYS);
  }
  function anonymousId() {
    if (remembered('_cioanonid') === '') remember('_cioanonid', uuid());
    return remembered('_cioanonid');
  }

  function waiting() {
    try {
      var calls = JSON.parse(window.localStorage.getItem(WAITING_KEY));
      return Array.isArray(calls) ? calls : [];
    } catch {
      return [];
    }
  }
  function setWaiting(calls) {
    try {
      if (calls.length === 0) window.localStorage.removeItem(WAITING_KEY);
      else window.localStorage.setItem(WAITING_KEY, JSON.stringify(calls.slice(-callsMax)));
    } catch {
      /* A browser that keeps nothing has nothing to send again. */
    }
  }

  /** Text that is JSON, so that no preflight is asked for. An answer is an answer: only what got none waits. */
  function send(path, body) {
    function keep() {
      var calls = waiting().concat([{ path: path, body: body }]);
      if (consentState() === 'asked') leaveOut('by_count', Math.max(0, calls.length - callsMax));
      setWaiting(calls);
    }
    if (!isAllowed()) {
      if (consentState() === 'asked') keep();
      return;
    }
    if (!window.fetch) {
      var request = new XMLHttpRequest();
      request.open('POST', base + path);
      request.setRequestHeader('content-type', 'text/plain');
      request.onerror = keep;
      request.send(body);
      return;
    }
    var options = { method: 'POST', body: body, headers: { 'content-type': 'text/plain' } };
    if (body.length < KEEPALIVE_BYTES_MAX) options.keepalive = true;
    window.fetch(base + path, options).catch(keep);
  }

  /** Stamped anew: the server counts back from when it was sent to when it happened. */
  function sendWaiting() {
    if (!isAllowed()) return;
    var calls = waiting();
    setWaiting([]);
    var sent = 0;
    calls.forEach(function (call) {
      var body = JSON.parse(call.body);
      if (Date.now() - Date.parse(body.timestamp) > consentLimits.daysMax * DAY_MS) {
        leaveOut('by_age', 1);
        return;
      }
      sent++;
      body.sentAt = new Date().toISOString();
      send(call.path, JSON.stringify(body));
    });
    return sent;
  }

  /** What there was no room for before consent, or what has grown too old, is told of when it comes. */
  var LEFT_OUT_KEY = 'hindsight.leftout';
  var left = { by_count: 0, by_age: 0 };
  try {
    left = JSON.parse(window.localStorage.getItem(LEFT_OUT_KEY)) || left;
  } catch {
    /* Then it is counted for this page. */
  }
  function leaveOut(why, calls) {
    if (calls === 0) return;
    left[why] += calls;
    keepLeftOut();
  }
  function keepLeftOut() {
    try {
      if (left.by_count + left.by_age === 0) window.localStorage.removeItem(LEFT_OUT_KEY);
      else window.localStorage.setItem(LEFT_OUT_KEY, JSON.stringify(left));
    } catch {
      /* As above. */
    }
  }

  /**
   * Where the workspace or data-consent="required" asks for it, calls wait in the browser until `consent(true)`; after
   * `consent(false)` none is kept.
   */
  var said = '';
  function consentState() {
    try {
      said = window.localStorage.getItem('hindsight.consent') || said;
    } catch {
      /* Then it is known for this page. */
    }
    return said || (isConsentNeeded ? 'asked' : 'given');
  }
  function isAllowed() {
    return consentState() === 'given';
  }
  function setConsent(isGiven) {
    var before = consentState();
    said = isGiven ? 'given' : 'withdrawn';
    try {
      window.localStorage.setItem('hindsight.consent', said);
    } catch {
      /* As above. */
    }
    tellConsent(isGiven);
    if (!isGiven) setWaiting([]);
    else if (before === 'asked' || left.by_count + left.by_age > 0) {
      var sent = sendWaiting();
      methods.track('Consent Given', {
        sent: sent,
        left_out_by_count: left.by_count,
        left_out_by_age: left.by_age,
      });
    }
    left = { by_count: 0, by_age: 0 };
    keepLeftOut();
  }
  /**
   * So that what is kept of the visitor on the server is erased, or may be kept again. What has no answer is told again, in
   * its order, also by the next page: a withdrawal is not lost with a connection.
   */
  var UNTOLD_KEY = 'hindsight.untold';
  var UNTOLD_MAX = 10;
  var untoldHere = [];
  var isTelling = false;
  function untold() {
    try {
      return JSON.parse(window.localStorage.getItem(UNTOLD_KEY)) || untoldHere;
    } catch {
      return untoldHere;
    }
  }
  function keepUntold(said) {
    untoldHere = said;
    try {
      if (said.length === 0) window.localStorage.removeItem(UNTOLD_KEY);
      else window.localStorage.setItem(UNTOLD_KEY, JSON.stringify(said));
    } catch {
      /* Then it is told again by this page alone. */
    }
  }
  function tellConsent(isGiven) {
    var visitor = remembered('_cioanonid');
    if (visitor === '') return;
    var body = JSON.stringify({ write_key: writeKey, anonymous_id: visitor, consent: isGiven });
    keepUntold(untold().concat([body]).slice(-UNTOLD_MAX));
    tellUntold();
  }
  function tellUntold() {
    var body = untold()[0];
    if (body === undefined || isTelling || !window.fetch) return;
    isTelling = true;
    var options = { method: 'POST', body: body, headers: { 'content-type': 'text/plain' }, keepalive: true };
    var isAnswered = false;
    window
      .fetch(base + '/v1/in-app/consent', options)
      .then(function (answer) {
        isAnswered = answer.status < 500 && answer.status !== 429;
      })
      .catch(function () {})
      .then(function () {
        isTelling = false;
        if (!isAnswered) return;
        var left = untold();
        if (left[0] === body) keepUntold(left.slice(1));
        tellUntold();
      });
  }

  function call(path, what) {
    var now = new Date().toISOString();
    var body = {
      anonymousId: anonymousId(),
      userId: remembered('_cioid') || null,
      messageId: 'cio-' + uuid(),
      timestamp: now,
      sentAt: now,
      writeKey: writeKey,
      context: {
        library: { name: 'hindsight-classic', version: '1' },
        locale: navigator.language,
        page: pageHere(),
        userAgent: navigator.userAgent,
      },
    };
    for (var name in what) body[name] = what[name];
    send(path, JSON.stringify(body));
  }

  function pageHere() {
    return {
      path: location.pathname,
      referrer: document.referrer,
      search: location.search,
      title: document.title,
      url: location.href,
    };
  }

  /** Another person than before: what this one did is not theirs, so they get an anonymous id of their own. */
  function identify(person) {
    var traits = {};
    for (var name in Object(person)) if (name !== 'id') traits[name] = person[name];
    var told = person && person.id !== undefined && person.id !== null ? String(person.id) : '';
    var id = told || (typeof traits.email === 'string' ? traits.email : '');
    if (id === '') return;
    var before = remembered('_cioid');
    if (before !== '' && before !== id && before !== traits.email) remember('_cioanonid', uuid());
    remember('_cioid', id);
    call('/v1/i', { type: 'identify', userId: told || null, traits: traits });
  }

  var listeners = {};
  var methods = {
    load: function () {},
    consent: setConsent,
    /** Calls back as soon as this script runs, with whether consent is needed here. */
    ready: function (listener) {
      listener(isConsentNeeded);
    },
    identify: identify,
    sidentify: identify,
    track: function (event, properties) {
      call('/v1/t', { type: 'track', event: event, properties: properties || {} });
    },
    page: function (url, properties) {
      var given = typeof url === 'string' ? properties : url;
      var page = pageHere();
      for (var name in Object(given)) page[name] = given[name];
      if (typeof url === 'string') page.url = url;
      call('/v1/p', { type: 'page', name: page.url, properties: page });
    },
    reset: function () {
      remember('_cioid', '');
      remember('_cioanonid', '');
    },
    on: function (name, listener) {
      (listeners[name] = listeners[name] || []).push(listener);
    },
    off: function (name, listener) {
      listeners[name] = (listeners[name] || []).filter(function (each) {
        return each !== listener;
      });
    },
  };

  function run(entry) {
    var args = Array.prototype.slice.call(entry);
    var name = args.shift();
    if (!Object.prototype.hasOwnProperty.call(methods, name)) return;
    methods[name].apply(null, args);
    (listeners[name] || []).slice().forEach(function (listener) {
      listener.apply(null, args);
    });
  }

  var tracker = { isRunning: true, push: run };
  Object.keys(methods).forEach(function (name) {
    tracker[name] = function () {
      run([name].concat(Array.prototype.slice.call(arguments)));
    };
  });
  window._cio = tracker;

  function sendAgain() {
    tellUntold();
    sendWaiting();
  }
  sendAgain();
  window.addEventListener('online', sendAgain);
  setInterval(sendAgain, RETRY_MS);
  if (script.getAttribute('data-auto-track-page') !== 'false') methods.page();
  (Array.isArray(queued) ? queued : []).forEach(run);
})(window, document);
