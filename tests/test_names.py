"""A name that is wrong never trains: each kind is refused at its place, with what there is and the nearest."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from interpflow.errors import InterpflowError
from interpflow.spec.foresight import Foresight
from interpflow.spec.load import load_spec
from interpflow.spec.problems import dotted

SPECS = Path(__file__).parents[1] / "specs"
FORESIGHT = Foresight()  # the same tasks are asked for examples once
STUDIES = {
    "tree": "tree_pathfinding",
    "counter": "counter_languages",
    "list": "list_sorting",
    "even": "even_pairs",
    "addition": "addition",
    "zoo": "language_zoo",
    "facts": "factual_recall",
}

# Study, key and what is put there; what is said of it.
WRONG = """
tree / analyses / lens / split: fwe                        => no split 'fwe' … did you mean 'few'?
tree / analyses / lens / fit_split: lense                  => no split 'lense' … did you mean 'lens'?
tree / analyses / unseen / splits / 0: tset                => no split 'tset' … did you mean 'test'?
tree / analyses / scrubbing / donors: length               => no split 'length' … 'lengths'?
tree / analyses / lens / shown / split: fex                => no split 'fex' … 'few'?
tree / analyses / edges / reads / end_before / positions / 0: edge_edn => no position 'edge_edn' … 'edge_end'?
tree / analyses / scrubbing / query: rot                   => no position 'rot' … 'root'?
tree / analyses / copying / keys / 0: gaol                 => no position 'gaol' … 'goal'?
counter / analyses / probes_paper / reads / layer 0 / positions / 0: answer5 => no position 'answer5' … padded
tree / analyses / scrubbing / hypotheses / h2 / clean / 0: registers.is_registr => 'registers.is_register'?
tree / analyses / lookahead_alone / block / keys / 0: chains.valid => no position 'chains.valid' … registers.
counter / analyses / probes_paper / targets / depth / variable: stack_depht => no variable … 'stack_depth'?
tree / analyses / descent / pairs / edge from here / query / variable: at_nod => no variable … 'at_node'?
tree / analyses / chains / key / variable: edge_taget      => no variable 'edge_taget' … 'edge_target'?
tree / analyses / registers / unless / among: ancestro     => 'ancestro'; … 'ancestor'?
tree / analyses / attribution / relations / goal / own / variable: gaol => no variable 'gaol' … 'goal'?
tree / analyses / attribution / relations / leaf child / unless / 1: gaol => no variable 'gaol' … 'goal'?
tree / analyses / scrubbing / match / 0 / along: distanc   => no further dim 'distanc' … 'distance'?
tree / analyses / lens / traced / along: distanc           => no further dim 'distanc' … 'distance'?
counter / analyses / removal / experiments / shuffle2 / targets / depth / select / stack / 1: <> => stack
tree / analyses / subpaths / targets / up / select / distance / 3: 40 => no distance 40 … 0, 1, 2
tree / analyses / chains / holds / variable: ancestor      => runs along distance; let `select` say one
tree / analyses / goal / targets / goal / variable: split  => no variable 'split'; … goal
tree / analyses / by_length / by: path_lenght              => of examples 'path_lenght' … 'path_length'?
tree / analyses / by_length / by: edge_source              => no variable of examples 'edge_source'
tree / analyses / deeper_forks / by: cascde                => no state 'cascde' … to_goal
tree / analyses / shown / experiments / nodes16 / where: {root_frks: true} => 'root_frks' … 'root_forks'?
tree / analyses / shown / experiments / nodes16 / where / root_forks: maybe => never 'maybe' … True
tree / analyses / shown / experiments / nodes16 / where / path_length / 0: "5" => never '5'
list / analyses / lists / variables / 0: gpa               => no variable 'gpa' … 'gap'?
tree / analyses / shown / variables / 0: paernt            => no variable 'paernt' … 'parent'?
tree / analyses / patching / pair_by / 0: edge_sorce       => no variable 'edge_sorce' … 'edge_source'?
tree / analyses / lens / traced / output: "<{}"            => no output '<0' … >0
addition / analyses / cases / by: csae                     => no state 'csae' … 'case'?
addition / analyses / cases / positions / 0: asks A7       => no position 'asks A7' … asks A
addition / analyses / rules / output: ">{}"                => no output '>0' … 0
addition / analyses / rules / rules / each / along: rul    => no further dim 'rul' … 'rule'?
addition / analyses / positions_cut / experiments / one_layer / site: blocks.1.hook_resid_post => no site
addition / analyses / by_role / roles / own / select / pair: onw => no pair 'onw' … 'own'?
addition / analyses / by_role / curves / below / data: stiarcase => no analysis … 'staircase'?
addition / claims / head_ablation / of / select / role: onw => no role 'onw' … 'own'?
addition / claims / head_ablation / of / select / quantity: base ad => no quantity … 'base add'?
addition / claims / beyond_the_algorithm / of / select / rule: describd => no rule … 'described'?
facts / analyses / classes / kinds / relation: answer_relatoin => no variable of outputs … 'answer_relation'?
facts / analyses / classes / kinds / relation: relation    => no variable of outputs 'relation'; … answer_number
facts / analyses / without_mlp / without: blocks.0.hook_mlp_uot => no site … 'blocks.0.hook_mlp_out'?
facts / analyses / scaling / fits / bits / over: trainabel => no variable 'trainabel' … 'trainable'?
facts / analyses / scaling / fits / bits / experiment: "forzen_*" => no experiment 'forzen_*' … frozen
facts / claims / scaling / rows / exponent / select / fit: bit => no fit 'bit' … 'bits'?
facts / claims / plateau / of / select / kind: relatoin    => no kind 'relatoin' … 'relation'?
facts / figures / trade_off / x: d_mpl                     => no variable 'd_mpl' … 'd_mlp'?
facts / figures / capacity / experiment: "forzen_*"        => no experiment 'forzen_*' … frozen
tree / analyses / attribution / output: "node {}"          => no output 'node 0' … >0
tree / analyses / matrices / paths / goal to ends / key / tokens: "[a-z]+" => 0 fit '[a-z]+' … two at least
counter / figures / probing_accuracy / data: length_generalisation => draws accuracy, … has no majority
counter / figures / causal_removal / data: probes_real     => draws probe_rank … 'probes_real' has no probe_rank
list / figures / circuits / data: lists                    => draws ov, qk; 'lists' has no ov, qk
tree / figures / task / data: by_length => draws parent, goal; 'by_length' has no parent, goal
tree / figures / registers / data: [chains, climb]         => draws kl, is_register … 'chains' has no kl
counter / analyses / removal / site: blocks.7.hook_resid_post => no site 'blocks.7.hook_resid_post' … 'blocks.0.
tree / analyses / passed / site: blocks.3.hook_resid_per   => no site 'blocks.3.hook_resid_per' … resid_pre'?
tree / analyses / passed / site: blocks.3.attn.hook_pattern => has dims (batch, head, query, key); it takes
tree / analyses / edges / reads / end_before / site: hook_embd => no site 'hook_embd' … 'hook_embed'?
tree / analyses / patching / site: "blocks.{layer}.hook_resid_per" => blocks.{layer}.hook_resid_pre'?
tree / analyses / positions / layers: [9]                  => no layer 9; the model has 4
tree / analyses / chains / to_layer: -9                    => no layer -9; the model has 4
list / analyses / modes / layer: 1                         => no layer 1; the model has 1
tree / analyses / matrices / paths / here to ends / query / through / 0: mlp 7 => no part 'mlp 7' … 4 layers
counter / claims / length / rows / dyck1_limit / select / group: 9 => no group 9 … bin2
tree / claims / climb / rows / second_layer_8 / select / head: 3 => no head 3; there are: 0
tree / claims / lens / of / select / layer: 9              => no layer 9; there are: 0, 1, 2, 3, 4
tree / claims / climb / rows / second_layer_8 / select / seed: true => found true; analysis … has: 0
tree / claims / climb / rows / second_layer_8 / select / head: false => no head false; there are: 0
tree / claims / lens / of / select / layer: true             => no layer true; there are: 0, 1, 2
tree / analyses / shown / experiments / nodes16 / where / root_forks: 1 => never 1 … True
tree / claims / lens / of / select / lens: tund            => no lens 'tund' … 'tuned'?
tree / claims / lens / of / select / place: 99             => no place 99; there are: 0, 1, 2
tree / claims / goal / of / select / target: gaol          => no target 'gaol' … 'goal'?
tree / claims / edges / rows / after_8 / select / read: target_aftr => no read … 'target_after'?
tree / claims / erasing_children / select / control: nine  => no control 'nine' … 'none'?
tree / claims / erasing / rows / goal_8 / select / erasure: gaol => no erasure 'gaol' … 'goal'?
list / claims / copying / select / checkpoint: lsat        => no checkpoint 'lsat' … 'last'?
counter / claims / length / of / select / choice: last => no choice 'last' … best
tree / claims / climb / rows / root_16 / along / pair / 1: 1 abve => no pair '1 abve' … '1 above'?
tree / claims / scrubbing_8 / rows / all_kept / select / hypothesis: h4 => no hypothesis 'h4' … h1
list / claims / modes / rows / splitting / select / model_mode: spliting => no model_mode 'spliting' … splitting
list / claims / without_the_suppressing_head / of / select / head_mode: supressing => 'suppressing'?
counter / claims / deepest / select / quantity: "stack_depth[(]" => no quantity … stack_depth[()]
counter / claims / overlap / of / select / split: validatoin => no split 'validatoin' … 'validation'?
counter / claims / removal / rows / dyck1_one_direction / select / rank: 3 => no rank 3; there are: 1, 2, 4
tree / claims / contributions / rows / leaves_lowered_8 / along / layer / 0: 0 => no layer 0; there are: 2, 3
list / claims / complexity_falls / of / select / group: head 0.0.0 => no group 'head 0.0.0' … all
list / claims / stages / rows / first_raises_complexity / select / curve: lcl => no curve 'lcl' … 'llc'?
list / analyses / stages / curves / loss / data: curvs     => no analysis 'curvs' … 'curves'?
list / analyses / stages / curves / overlap / variable: overlp => no variable 'overlp' … 'overlap'?
list / analyses / stages / curves / llc / select / group: al => no group 'al' … 'all'?
tree / figures / composition / variable: intac             => no variable 'intac'; … excess
tree / figures / erasure / lines / intact / variable: intac_accuracy => no variable … 'intact_accuracy'?
tree / figures / patching / x: plac                        => no coordinate 'plac' … 'place'?
list / figures / mode_map / x: mean_gp                     => no coordinate 'mean_gp' … 'mean_gap'?
tree / figures / accuracy / x: gruop                       => no coordinate 'gruop' … 'group'?
counter / figures / length_generalisation / panels / Dyck-1 / 1 head / experiment: dyk1 => 'dyck1'?
tree / figures / depth / lines / 2 layers / experiment: depth_layers_9 => no experiment … depth_layers_
list / figures / mode_map / experiments / 0: gasp_*        => no experiment 'gasp_*' … gaps_
list / figures / modes / groups / Heads / 0: haeds_*       => no experiment 'haeds_*' … heads_
list / figures / gaps / groups / vocabulary / 0: vocabulary_* => no experiment 'vocabulary_*' … vocabularies_
counter / figures / nested_or_interleaved / pairs / shuffle2: shuffle2_interleavd => 'shuffle2_interleaved'?
tree / figures / scrubbing_8 / panels / Seed 0 / seed: 5   => no seed 5; there are: 0, 1, 2
tree / figures / climb / panels / 16 nodes / seed: 1       => no seed 1; there are: 0
tree / figures / climb / panels / 16 nodes, goal token / data: climb_at_gaol => 'climb_at_goal'?
tree / figures / registers / chains / data: chans          => no analysis 'chans' … 'chains'?
list / analyses / effects / data: [modes]                   => by the method 'ablation'; above are: ablation
list / figures / modes / labels: {no_dcay: none}           => no experiment 'no_dcay' … 'no_decay'?
list / figures / mode_map / labels: {hads: Heads}          => no coordinate 'hads' … 'heads'?
list / figures / traces / labels: {hed 0.0: Head 0}        => no group 'hed 0.0' … 'head 0.0'?
list / figures / ablation / labels: {los: Loss}            => found 'los'; expected … 'loss'
list / figures / ablation / by_mode: mods                  => no analysis 'mods' … 'modes'?
list / figures / gaps / x / quantity: gpa                  => no quantity 'gpa' … 'gap'?
list / figures / gaps / x / split: tran                    => no split 'tran' … 'train'?
list / figures / calibration / select: {haeds: 7}          => no coordinate 'haeds' … 'head
list / figures / modes / groups / extra: [gaps_mean_gap_7] => no experiment 'gaps_mean_gap_7'
list / figures / calibration / select / ablation: median   => no ablation 'median' … 'mean'?
list / figures / traces / select / group / 1: head 0.9     => no group 'head 0.9' … 'head 0.1'?
tree / figures / lookahead_16 / select / read / 1: layer 6 => no read 'layer 6' … layer 5
tree / figures / task / select / shown_example: fwe 150    => no shown_example 'fwe 150' … few
tree / figures / scrubbing / panels / Registers kept / select / hypothesis: h4 => no hypothesis 'h4'
counter / figures / length_generalisation / trained_on: validate => no group 'validate' … validation
tree / figures / edges / labels: {source_befor: source token} => no label 'source_befor' … 'source_before'?
tree / figures / matrices / labels: {goal to end: goal}     => no path 'goal to end' … 'goal to ends'?
tree / figures / task / select / shown_example: few 100000  => no shown_example … few 0, few 1
list / figures / development / log: [Loss]                  => no panel 'Loss'; there are: Loss (nat)
list / figures / traces / select / step: 12345              => no step 12345; there are: 0, 2
list / claims / copying / select / step: 7              => no step 7; there are:
tree / scales / smoke / figures / task / select / shown_example: fwe 9 => no shown_example 'fwe 9'
list / scales / smoke / figures / circuits / panels: {L22: {seed: 0}} => no entry of panels 'L22' … 'L2'?
tree / scales / smoke / figures / matrices / seed: 1       => no seed 1; there are: 0
tree / scales / smoke / analyses / edges / split: prbed    => no split 'prbed' … 'probed'?
counter / analyses / probes_paper / test_share: 20         => expected a number less than 1
tree / analyses / passed / hidden: [[64], [128]]           => has several probes of one depth
counter / analyses / probes_real / hidden: [[64], [128]]   => has several probes of one depth
counter / analyses / probes_paper / controls: [word_type, word_type] => has 'word_type' twice
counter / analyses / removal / ranks: [1, 1]               => has 1 twice
list / analyses / ablation / ablations: [zero, zero]       => has 'zero' twice
list / analyses / complexity / experiments / no_decay / groups: [all, all] => has 'all' twice
counter / analyses / length_generalisation / splits: [bin1, bin1] => has 'bin1' twice
tree / analyses / patching / positions: [goal, goal]       => has 'goal' twice
list / analyses / complexity / batch_size: 1               => found 1; expected a number of at least 2
list / analyses / complexity / batch_size: 4000            => split 'train' has 2000 examples
tree / analyses / scrubbing / match: [{variable: goal}]    => has 1 states; the model has 4 layers
tree / analyses / scrubbing / query: path                  => 'path' is not one position of each example
tree / analyses / chains / from_layer: 3                   => no step lies between
even / analyses / weights / parts / 0: W_u                 => no part 'W_u' … 'W_U'?
even / analyses / chain / rounds: round                    => of examples 'round' … 'rounds'?
even / analyses / chain / answer: paritty                  => no state 'paritty' … 'parity'?
even / analyses / chain / words: {"1": "c{}", "0": "b{}"}  => output '1' is no token 'c1' … a1
zoo / experiments / reset / sweep / task.language / 0: reset_dyk_1 => no language … 'reset_dyck_1'?
zoo / analyses / ratio / targets / depth / value / variable: cuont => no variable 'cuont' … 'count'?
zoo / analyses / ratio / targets / depth over letters / over / variable: leters => 'leters' … 'letters'?
zoo / analyses / windows / splits: [bin7]                  => no split 'bin7' … bin2
zoo / figures / languages / rows: langage                  => no coordinate 'langage' … 'language'?
zoo / figures / languages / columns / 51 to 100 letters / last 8 / select / context: 9 => no context 9
zoo / figures / languages / columns / 51 to 100 letters / 1 layer / variable: acuracy => … 'accuracy'?
zoo / figures / languages / facts / star- free / select / quantity: starfree => … 'star_free'?
zoo / figures / what_decides / labels: {bst: best}         => 'bst' … did you mean 'best'?
zoo / claims / near / of / select / group: naer            => no group 'naer' … 'near'?
zoo / claims / d_2 / of / select / begin: maybe            => found 'maybe'; … True, False
zoo / claims / counters / of / select / choice: bst        => no choice 'bst' … 'best'?
even / analyses / chain / words: {even: "a{}", "0": "b{}"} => no output 'even'; there are: 0, 1
even / analyses / chain / words: {"1": "a{}"}              => output '0' is no token '0'
even / analyses / rates / curves / readout / select / part: W_E => no part 'W_E' … W_U
even / analyses / rates / powers: [-1.0, -1.0]             => has -1.0 twice
even / analyses / margin / by: lenght                      => no state 'lenght' … 'length'?
even / claims / loss_falls / of / select / curve: los      => no curve 'los' … 'loss'?
even / claims / chain_without_training / along / group / 0: odd => no group 'odd'
list / analyses / curves / method: margin                  => takes a task with one output of 0 or 1
tree / analyses / attribution / relations / edge from here / match / query / along: distance \
=> has no further dim
"""
ROWS = [row for row in WRONG.replace("\\\n", "").splitlines() if row]


@cache
def written(study: str) -> str:
    return (SPECS / f"{STUDIES[study]}.yaml").read_text()


def put(content: Any, key: list[str], value: Any) -> None:
    """Set what stands at `key` of a spec."""
    *above, last = (int(part) if part.isdigit() else part for part in key)
    for part in above:
        content = content.setdefault(part, {}) if isinstance(content, dict) else content[part]
    content[last] = value


@pytest.mark.parametrize("row", ROWS)
def test_what_is_wrong_is_refused_at_its_place(row: str, tmp_path: Path) -> None:
    edit, said = row.split("=>")
    place, value = edit.split(": ", 1)
    study, *key = (part.strip() for part in place.split(" / "))
    content = yaml.safe_load(written(study))
    put(content, key, yaml.safe_load(value))
    path = tmp_path / f"{STUDIES[study]}.yaml"
    path.write_text(yaml.safe_dump(content, sort_keys=False, allow_unicode=True))
    with pytest.raises(InterpflowError) as raised:
        load_spec(path, FORESIGHT)
    lines = str(raised.value).splitlines()
    phrases = [phrase.strip() for phrase in said.split("…")]
    told = [line for line in lines if all(phrase in line for phrase in phrases)]
    assert told, lines
    asked = dotted(tuple(int(part) if part.isdigit() else part for part in key))
    where = {line.split(": ")[1] for line in told}
    assert any(at.startswith(asked) or asked.startswith(at) for at in where), where


@pytest.mark.parametrize("study", STUDIES)
def test_every_name_in_the_studies_is_there(study: str) -> None:
    load_spec(SPECS / f"{STUDIES[study]}.yaml", FORESIGHT)
