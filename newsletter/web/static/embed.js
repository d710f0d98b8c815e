// Answers forms marked data-newsletter in place; else they are plain.
document.querySelectorAll('form[data-newsletter=""]').forEach((form, number) => {
  const { email, locale } = form.elements;
  const button = form.querySelector("[type=submit]");
  const answer = document.createElement("p");
  const [accepted, lost] = {
    de: [
      "Bitte prüfen Sie Ihr Postfach. Wenn für diese Adresse eine Bestätigung nötig ist, erhalten Sie in wenigen Minuten eine E-Mail. Öffnen Sie den Link darin und bestätigen Sie die Anmeldung. Keine E-Mail angekommen? Sehen Sie bitte auch im Spam-Ordner nach.",
      "Es kam keine Antwort. Bitte senden Sie noch einmal; die Antwort kommt dann auf einer eigenen Seite.",
    ],
    en: [
      "Please check your inbox. If this address needs to be confirmed, you will receive an e-mail within a few minutes. Open the link in it and confirm your request. No e-mail? Please check your spam folder as well.",
      "There was no answer. Please send it again; the answer then appears on a page of its own.",
    ],
  }[locale.value];

  const show = (state, text, wrong = false) => {
    form.dataset.newsletter = state;
    email.setAttribute("aria-invalid", wrong);
    (wrong ? email.closest("label") || email : button).after(answer);
    answer.textContent = text;
    if (wrong) email.focus();
  };

  const send = async () => {
    const reply = await fetch(`${form.action}?locale=${locale.value}`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(Object.fromEntries(new FormData(form))),
      credentials: "omit",
      referrerPolicy: "no-referrer",
      signal: AbortSignal.timeout?.(15000),
    });
    if (reply.status === 202) {
      show("accepted", accepted);
      form.replaceChildren(answer);
      return answer.focus();
    }
    const { type, detail } = await reply.json();
    show("refused", detail, type.endsWith("-address"));
  };

  form.noValidate = true;
  answer.id = `newsletter-answer-${number}`;
  answer.setAttribute("role", "status");
  answer.tabIndex = -1;
  email.setAttribute("aria-describedby", answer.id);
  show("ready", "");

  form.addEventListener("submit", async (event) => {
    if (form.dataset.newsletter === "plain") return;
    event.preventDefault();
    button.disabled = true;
    show("sending", "…");
    // CORS, CSP, offline and too slow look alike; a plain form may get through.
    await send().catch(() => show("plain", lost));
    button.disabled = false;
    if (document.activeElement === document.body) button.focus();
  });
});
