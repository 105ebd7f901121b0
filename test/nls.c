/*-------------------------------------------------------------------------
 *
 * nls.c
 *	  Programs without translations, to be preloaded after libasan.
 *
 * Debian 12's libasan and C library do not get along where a constructor of a
 * library calls bindtextdomain() and the program calls it again: it waits for
 * a lock that nobody holds.  PostgreSQL and its libraries do that.
 *
 *-------------------------------------------------------------------------
 */

char	   *bindtextdomain(const char *domain, const char *directory);
char	   *bind_textdomain_codeset(const char *domain, const char *codeset);

char *
bindtextdomain(const char *domain, const char *directory)
{
	return (char *) directory;
}

char *
bind_textdomain_codeset(const char *domain, const char *codeset)
{
	return (char *) codeset;
}
