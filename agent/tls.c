// SPDX-License-Identifier: GPL-2.0
/* Certificates of the API's listeners. */
#include <errno.h>
#include <fcntl.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "api.h"

#define PEM_MOST_B (1 << 20)

/* Only what has forward secrecy and authenticated encryption (RFC 9325). */
const char tls_priorities[] = "SECURE128:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:"
	"-RSA:-AES-128-CBC:-AES-256-CBC:-AES-128-CCM:-AES-256-CCM:-SHA1:"
	"%SERVER_PRECEDENCE";

/* A file as text, the caller's; NULL and a refusal. */
static char *read_pem(const char *path, bool secret, struct refusal *r)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	char *text = NULL;
	struct stat st;
	ssize_t n = -1;

	if (fd < 0 || fstat(fd, &st)) {
		refuse(r, 400, "mend listen:, or the file", "%s: %s", path,
		       strerror(errno));
	} else if (!S_ISREG(st.st_mode) || st.st_size > PEM_MOST_B) {
		refuse(r, 400, "a PEM file", "%s: is none", path);
	} else if (secret && (st.st_mode & 0007)) {
		refuse(r, 400, "chmod 640, or less", "%s: everybody may read "
		       "or write this key", path);
	} else {
		text = malloc(st.st_size + 1);
		n = text ? read(fd, text, st.st_size) : -1;
		if (n < 0)
			refuse(r, 500, "see the file", "%s: cannot be read",
			       path);
	}
	if (fd >= 0)
		close(fd);
	if (n < 0) {
		free(text);
		return NULL;
	}
	text[n] = '\0';
	return text;
}

/* An ended one is served all the same: clients say so better than silence does. */
static void say_end(const struct sl_listener *l, const char *cert)
{
	gnutls_datum_t pem = { (unsigned char *)cert, strlen(cert) };
	gnutls_x509_crt_t crt;

	if (gnutls_x509_crt_init(&crt) < 0)
		return;
	if (gnutls_x509_crt_import(crt, &pem, GNUTLS_X509_FMT_PEM) >= 0 &&
	    gnutls_x509_crt_get_expiration_time(crt) < time(NULL))
		say(LOG_WARNING, "%s: the certificate has expired", l->cert);
	gnutls_x509_crt_deinit(crt);
}

/* Do they belong together, and are they fit for use? */
static int check_pair(const struct sl_listener *l, const char *cert,
		      const char *key, struct refusal *r)
{
	gnutls_datum_t c = { (unsigned char *)cert, strlen(cert) };
	gnutls_datum_t k = { (unsigned char *)key, strlen(key) };
	gnutls_certificate_credentials_t cred;
	int rc = gnutls_certificate_allocate_credentials(&cred);

	if (rc < 0)
		return refuse(r, 500, "free memory", "%s",
			      gnutls_strerror(rc));
	rc = gnutls_certificate_set_x509_key_mem2(cred, &c, &k,
		GNUTLS_X509_FMT_PEM, NULL, 0);
	if (rc < 0) {
		rc = refuse(r, 400, "PEM files of one certificate, its chain "
			    "behind it, and of its key without a passphrase",
			    "%s, %s: %s", l->cert, l->key,
			    gnutls_strerror(rc));
	} else {
		say_end(l, cert);
	}
	gnutls_certificate_free_credentials(cred);
	return rc < 0 ? -1 : 0;
}

int tls_load(const struct sl_listener *l, char **cert, char **key,
	     struct refusal *r)
{
	char *c = read_pem(l->cert, false, r);
	char *k = c ? read_pem(l->key, true, r) : NULL;

	if (!k || check_pair(l, c, k, r)) {
		free(c);
		free(k);
		return -1;
	}
	*cert = c;
	*key = k;
	return 0;
}
