// Gives each piece of code a button that copies it; without this script it is marked and copied by hand.
document.querySelectorAll("[data-copy]").forEach((code) => {
  if (!navigator.clipboard) return;
  const button = document.createElement("button");
  button.type = "button";
  button.className = "second copy";
  button.textContent = code.dataset.copy;
  button.setAttribute("aria-describedby", code.id);
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(code.textContent);
    button.textContent = code.dataset.copied;
  });
  code.before(button);
});
