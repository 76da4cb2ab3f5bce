using Tunnel.Ctl.Check.Knobs;

namespace Tunnel.Ctl.Check.Topics;

/// <summary>Settings that can be judged by themselves, and what is counted about them.</summary>
internal class KnobTopic(string topic, string title, IReadOnlyList<Knob> knobs) : PromptTopic
{
    public override string Topic => topic;

    public override string Title => title;

    public override IReadOnlyList<string> Names => [.. knobs.Select(k => k.Name)];

    protected override IEnumerable<Finding> Look(CheckContext context) => knobs.Select(k => k.Look(context));
}
