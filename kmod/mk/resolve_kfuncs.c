// SPDX-License-Identifier: GPL-2.0
/* The ids of a module's kfuncs: section .BTF_ids holds, under names like
 * __BTF_ID__func__sealane_lookup6__7, places for ids of BTF types, which are
 * known only once the module's BTF is written. The kernel's resolve_btfids
 * fills them; Debian's headers of 6.1 have none, and it only warns when one is
 * missing. This one fails.
 *   resolve_kfuncs BTF-OF-THE-KERNEL MODULE.ko          fill, then check
 *   resolve_kfuncs --check BTF-OF-THE-KERNEL MODULE.ko  check what is there
 * A set is {u32 count, u32 flags, {u32 id, u32 flags}...}, its pairs in the
 * order of their ids, since the kernel searches it by halves.
 */
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct pair {
	__u32 id, flags;
};

struct set {
	__u32 count, flags;
	struct pair pairs[];
};

struct module {
	const char *path;
	int fd;
	Elf *elf;
	struct btf *base, *btf;	/* base: the kernel's */
	Elf_Data *symbols, *ids;
	Elf64_Off ids_at;	/* in the file */
	size_t ids_index, symbols_link;
};

static const char prefix[] = "__BTF_ID__", set_kind[] = "set8__";

static int fail(const struct module *m, const char *what, const char *which)
{
	fprintf(stderr, "resolve_kfuncs: %s: %s%s\n", m->path, what, which);
	return -EINVAL;
}

static int open_btf(struct module *m, const char *kernel)
{
	m->base = btf__parse(kernel, NULL);
	if (!m->base) {
		fprintf(stderr, "resolve_kfuncs: %s: no BTF: %s\n", kernel,
			strerror(errno));
		return -EINVAL;
	}
	m->btf = btf__parse_split(m->path, m->base);
	return m->btf ? 0 : fail(m, "has no .BTF: ", strerror(errno));
}

static int open_elf(struct module *m, bool write)
{
	Elf_Scn *section = NULL;
	GElf_Shdr header;
	const char *name;
	size_t names;

	m->fd = open(m->path, write ? O_RDWR : O_RDONLY);
	if (m->fd < 0)
		return fail(m, strerror(errno), "");
	elf_version(EV_CURRENT);
	m->elf = elf_begin(m->fd, ELF_C_READ, NULL);
	if (!m->elf || elf_getshdrstrndx(m->elf, &names))
		return fail(m, "not an ELF file: ", elf_errmsg(-1));
	while ((section = elf_nextscn(m->elf, section))) {
		gelf_getshdr(section, &header);
		name = elf_strptr(m->elf, names, header.sh_name);
		if (header.sh_type == SHT_SYMTAB) {
			m->symbols = elf_getdata(section, NULL);
			m->symbols_link = header.sh_link;
		} else if (name && !strcmp(name, ".BTF_ids")) {
			m->ids = elf_getdata(section, NULL);
			m->ids_at = header.sh_offset;
			m->ids_index = elf_ndxscn(section);
		}
	}
	if (!m->ids || !m->ids->d_size)
		return fail(m, "has no .BTF_ids: no kfunc is in it", "");
	return m->symbols ? 0 : fail(m, "has no symbols", "");
}

/* The next symbol that lies in .BTF_ids whole; its name without the prefix. */
static const char *next_symbol(const struct module *m, int *at, GElf_Sym *sym)
{
	const char *name;

	while (gelf_getsym(m->symbols, (*at)++, sym)) {
		name = elf_strptr(m->elf, m->symbols_link, sym->st_name);
		if (sym->st_shndx == m->ids_index && name &&
		    !strncmp(name, prefix, strlen(prefix)) &&
		    sym->st_value <= m->ids->d_size &&
		    sym->st_size <= m->ids->d_size - sym->st_value)
			return name + strlen(prefix);
	}
	return NULL;
}

static void *place(const struct module *m, const GElf_Sym *sym)
{
	return (char *)m->ids->d_buf + sym->st_value;
}

/* KIND__NAME__NUMBER -> its type's id; 0: there is none. */
static __u32 id_of(const struct module *m, const char *symbol)
{
	static const struct {
		const char *prefix;
		__u32 kind;
	} kinds[] = {
		{ "func__", BTF_KIND_FUNC }, { "struct__", BTF_KIND_STRUCT },
		{ "union__", BTF_KIND_UNION },
		{ "typedef__", BTF_KIND_TYPEDEF },
	};
	char name[256];
	size_t i, len;
	int id;

	for (i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		len = strlen(kinds[i].prefix);
		if (strncmp(symbol, kinds[i].prefix, len))
			continue;
		snprintf(name, sizeof(name), "%s", symbol + len);
		/* the number tells uses of one name apart */
		for (len = strlen(name); len && name[len - 1] != '_'; len--)
			;
		if (len < 3 || name[len - 2] != '_')
			return 0;
		name[len - 2] = 0;
		id = btf__find_by_name_kind(m->btf, name, kinds[i].kind);
		return id > 0 ? (__u32)id : 0;
	}
	return 0;
}

static int by_id(const void *a, const void *b)
{
	const struct pair *x = a, *y = b;

	return x->id < y->id ? -1 : x->id > y->id;
}

static size_t pairs_in(const GElf_Sym *sym)
{
	return (sym->st_size - sizeof(struct set)) / sizeof(struct pair);
}

static bool is_set(const GElf_Sym *sym, const char *name)
{
	return !strncmp(name, set_kind, strlen(set_kind)) &&
		sym->st_size >= sizeof(struct set);
}

/* First every id, then each set as a whole: sorting moves the ids away from
 * their symbols.
 */
static int fill(struct module *m)
{
	const char *name;
	GElf_Sym sym;
	__u32 id;
	int at = 0;

	while ((name = next_symbol(m, &at, &sym))) {
		if (!strncmp(name, set_kind, strlen(set_kind)))
			continue;
		id = id_of(m, name);
		if (!id)
			return fail(m, "its BTF does not have ", name);
		memcpy(place(m, &sym), &id, sizeof(id));
	}
	for (at = 0; (name = next_symbol(m, &at, &sym));) {
		struct set *set = place(m, &sym);

		if (!is_set(&sym, name))
			continue;
		set->count = pairs_in(&sym);
		qsort(set->pairs, set->count, sizeof(struct pair), by_id);
	}
	if (pwrite(m->fd, m->ids->d_buf, m->ids->d_size, m->ids_at) !=
	    (ssize_t)m->ids->d_size)
		return fail(m, strerror(errno), "");
	return 0;
}

/* Every pair is a function of the module's own, and in order. */
static int check_set(const struct module *m, const struct set *set)
{
	const struct btf_type *type;
	__u32 i, before = 0;

	for (i = 0; i < set->count; i++) {
		type = btf__type_by_id(m->btf, set->pairs[i].id);
		if (!type || !btf_is_func(type) ||
		    set->pairs[i].id < btf__type_cnt(m->base))
			return fail(m, "a kfunc's id is not resolved", "");
		if (set->pairs[i].id <= before)
			return fail(m, "kfunc ids are not in order", "");
		before = set->pairs[i].id;
		printf("%s%s", i ? " " : "",
		       btf__name_by_offset(m->btf, type->name_off));
	}
	printf("\n");
	return 0;
}

static int check(const struct module *m)
{
	int at = 0, sets = 0, err;
	const char *name;
	GElf_Sym sym;

	while ((name = next_symbol(m, &at, &sym))) {
		const struct set *set = place(m, &sym);

		if (!is_set(&sym, name))
			continue;
		if (!set->count || set->count != pairs_in(&sym))
			return fail(m, "set of kfuncs is not resolved: ", name);
		err = check_set(m, set);
		if (err)
			return err;
		sets++;
	}
	return sets ? 0 : fail(m, "has no set of kfuncs", "");
}

int main(int argc, char **argv)
{
	bool only_check = argc == 4 && !strcmp(argv[1], "--check");
	struct module m = { .fd = -1 };
	int err;

	if (argc != 3 && !only_check) {
		fprintf(stderr, "usage: resolve_kfuncs [--check] "
			"BTF-OF-THE-KERNEL MODULE.ko\n");
		return 1;
	}
	libbpf_set_print(NULL);
	m.path = argv[argc - 1];
	err = open_btf(&m, argv[argc - 2]);
	if (!err)
		err = open_elf(&m, !only_check);
	if (!err && !only_check)
		err = fill(&m);
	if (!err)
		err = check(&m);
	elf_end(m.elf);
	if (m.fd >= 0)
		close(m.fd);
	btf__free(m.btf);
	btf__free(m.base);
	return err ? 2 : 0;
}
