const place = document.getElementById("docs");
// Without null, Swagger UI asks a third party whether the description is valid.
SwaggerUIBundle({ domNode: place, url: place.dataset.url, deepLinking: true, validatorUrl: null });
