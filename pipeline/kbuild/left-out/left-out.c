// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which options of a configured tree are off, and which part of what they depend on is false: asked of the tree's own
 * kconfig, with whose objects this is linked. left-out.ts builds and runs it, and makes the table.
 *
 * Prints a line for every option that could be a module and is off:
 *   NAME <tab> FILE:LINE <tab> false part of its condition <tab> options behind that, separated by spaces <tab> 64
 * The last is there when the option would be on offer if only 64BIT were on.
 * An option behind it is `X?` when nothing of what was read defines it, `X` when it is off, `!X` when X is on and must
 * not be, `X-` when it could be on and the configuration says no.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lkc.h"

#ifdef MENU_HAS_FILENAME
#define FILE_OF(menu) ((menu)->filename)
#else
#define FILE_OF(menu) ((menu)->file->name)
#endif

#define BEHIND_MAX 64
#define DEPTH_MAX 12

static const char *behind[BEHIND_MAX];
static int behind_count;
static struct symbol *path[DEPTH_MAX];

static void add_behind(const char *format, const char *name)
{
	char text[256];
	int i;

	snprintf(text, sizeof(text), format, name);
	for (i = 0; i < behind_count; i++)
		if (!strcmp(behind[i], text))
			return;
	if (behind_count < BEHIND_MAX)
		behind[behind_count++] = strdup(text);
}

static int is_off(struct expr *e)
{
	return e && expr_calc_value(e) == no;
}

/* The condition of a symbol's prompts; NULL when it has none. */
static struct expr *prompt_of(struct symbol *sym, int *has_prompt)
{
	struct property *prop;
	struct expr *found = NULL;

	*has_prompt = 0;
	for_all_prompts(sym, prop) {
		*has_prompt = 1;
		found = prop->visible.expr;
		if (!is_off(found))
			break;
	}
	return found;
}

static void explain(struct expr *e, int depth, FILE *out);

/* Why a symbol is off: what is behind it. */
static void explain_symbol(struct symbol *sym, int depth)
{
	struct expr *prompt;
	int has_prompt, i;

	for (i = 0; i < depth && i < DEPTH_MAX; i++)
		if (path[i] == sym)
			return;
	if (sym->type == S_UNKNOWN) {
		add_behind("%s?", sym->name);
		return;
	}
	prompt = prompt_of(sym, &has_prompt);
	if (depth < DEPTH_MAX) {
		path[depth] = sym;
		if (has_prompt && is_off(prompt)) {
			explain(prompt, depth + 1, NULL);
			return;
		}
		if (!has_prompt && is_off(sym->dir_dep.expr)) {
			explain(sym->dir_dep.expr, depth + 1, NULL);
			return;
		}
	}
	add_behind(has_prompt ? "%s-" : "%s", sym->name);
}

static void print_comparison(struct expr *e, FILE *out)
{
	const char *sign = e->type == E_EQUAL ? "=" : e->type == E_UNEQUAL ? "!=" : e->type == E_LTH ? "<" :
			   e->type == E_LEQ ? "<=" : e->type == E_GTH ? ">" : ">=";

	if (out)
		fprintf(out, "%s%s%s", e->left.sym->name, sign, e->right.sym->name);
	add_behind("%s", e->left.sym->name);
}

/* Print the part of a false expression that makes it false, and collect what is behind. */
static void explain(struct expr *e, int depth, FILE *out)
{
	switch (e->type) {
	case E_AND:
		if (is_off(e->left.expr))
			explain(e->left.expr, depth, out);
		if (is_off(e->left.expr) && is_off(e->right.expr) && out)
			fputs(" && ", out);
		if (is_off(e->right.expr))
			explain(e->right.expr, depth, out);
		break;
	case E_OR:
		if (out)
			fputc('(', out);
		explain(e->left.expr, depth, out);
		if (out)
			fputs(" || ", out);
		explain(e->right.expr, depth, out);
		if (out)
			fputc(')', out);
		break;
	case E_NOT:
		if (e->left.expr->type == E_SYMBOL) {
			if (out)
				fprintf(out, "!%s", e->left.expr->left.sym->name);
			add_behind("!%s", e->left.expr->left.sym->name);
		} else if (out) {
			fputs("!(...)", out);
		}
		break;
	case E_SYMBOL:
		if (out)
			fputs(e->left.sym->name ? e->left.sym->name : "choice", out);
		if (e->left.sym->name)
			explain_symbol(e->left.sym, depth);
		break;
	default:
		print_comparison(e, out);
	}
}

static int could_be(struct symbol *sym, int depth);

/* Whether an expression would hold if 64BIT were on and whatever is on offer then were taken. */
static int could_hold(struct expr *e, int depth)
{
	if (!e)
		return 1;
	switch (e->type) {
	case E_AND:
		return could_hold(e->left.expr, depth) && could_hold(e->right.expr, depth);
	case E_OR:
		return could_hold(e->left.expr, depth) || could_hold(e->right.expr, depth);
	case E_NOT:
		if (e->left.expr->type == E_SYMBOL && !strcmp(e->left.expr->left.sym->name ?: "", "64BIT"))
			return 0;
		return expr_calc_value(e) != no;
	case E_SYMBOL:
		return could_be(e->left.sym, depth);
	default:
		return expr_calc_value(e) != no;
	}
}

static int could_be(struct symbol *sym, int depth)
{
	struct property *prop;
	int i;

	if (sym->name && !strcmp(sym->name, "64BIT"))
		return 1;
	if (sym_get_tristate_value(sym) != no)
		return 1;
	if (sym->type == S_UNKNOWN || depth >= DEPTH_MAX)
		return 0;
	for (i = 0; i < depth; i++)
		if (path[i] == sym)
			return 0;
	path[depth] = sym;
	/* One that is on offer and off was switched off on purpose. */
	for_all_prompts(sym, prop)
		if (is_off(prop->visible.expr) && could_hold(prop->visible.expr, depth + 1))
			return 1;
	for_all_defaults(sym, prop)
		if (could_hold(prop->visible.expr, depth + 1) && could_hold(sym->dir_dep.expr, depth + 1) &&
		    could_hold(prop->expr, depth + 1))
			return 1;
	return sym->rev_dep.expr && could_hold(sym->rev_dep.expr, depth + 1);
}

static void report(struct menu *menu)
{
	struct symbol *sym = menu->sym;
	struct expr *condition;
	int has_prompt, i;

	sym_calc_value(sym);
	if (sym->type != S_TRISTATE || sym_get_tristate_value(sym) != no)
		return;
	behind_count = 0;
	printf("%s\t%s:%d\t", sym->name, FILE_OF(menu), menu->lineno);
	condition = prompt_of(sym, &has_prompt);
	if (!has_prompt)
		condition = sym->dir_dep.expr;
	path[0] = sym;
	if (is_off(condition)) {
		explain(condition, 1, stdout);
	} else if (has_prompt) {
		add_behind("%s-", sym->name);
	} else {
		fputs("nothing selects it", stdout);
	}
	putchar('\t');
	for (i = 0; i < behind_count; i++)
		printf("%s%s", i ? " " : "", behind[i]);
	printf("\t%s\n", could_be(sym, 0) ? "64" : "");
}

static void walk(struct menu *menu)
{
	for (; menu; menu = menu->next) {
		if (menu->sym && menu->sym->name)
			report(menu);
		walk(menu->list);
	}
}

int main(int argc, char **argv)
{
	if (argc != 2)
		return 2;
	conf_parse(argv[1]);
	if (conf_read(NULL))
		return 1;
	walk(&rootmenu);
	return 0;
}
