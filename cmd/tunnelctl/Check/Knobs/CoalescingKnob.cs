using System.Globalization;
using Tunnel.Links.Host.Ethtool;

namespace Tunnel.Ctl.Check.Knobs;

/// <summary>How long the card waits before it interrupts, written as ethtool -C takes it: "adaptive-rx off rx-usecs 128 rx-frames 64".</summary>
internal sealed class CoalescingKnob : Knob
{
    private const uint ManyUsecs = 64;
    private const uint FewUsecs = 10;

    private static readonly NicCoalescing Bulk = new(false, 128, 64);
    private static readonly NicCoalescing Prompt = new(false, FewUsecs, 8);

    public override string Name => "nic.coalescing";

    public override string Why => "fewer interrupts for each packet, or each packet sooner";

    public override Reading Read(CheckContext context)
    {
        if (context.Nic is not { } nic)
            return new Reading(null, context.NoInterface);
        NicAnswer<NicCoalescing> answer = nic.Coalescing();
        return answer.Value is { } now ? new Reading(Format(now), null) : new Reading(null, $"{context.Interface}: {answer.Problem}");
    }

    public override Judgement Judge(CheckContext context, Reading now)
    {
        if (Parse(now) is not { } state)
            return Judgement.Unknown(now.Problem ?? $"\"{now.Text?.Trim()}\" is no coalescing");
        return context.Profile switch
        {
            TuningProfile.Throughput => Choose(state.AdaptiveRx || state.RxUsecs >= ManyUsecs, $"adaptive, or rx-usecs {ManyUsecs} or more", state, Bulk),
            TuningProfile.Latency => Choose(!state.AdaptiveRx && state.RxUsecs <= FewUsecs, $"rx-usecs {FewUsecs} or less", state, Prompt),
            _ => new Judgement(true, "as it is", Format(state)) { Matters = false },
        };
    }

    public override string Command(CheckContext context, string value) => $"ethtool -C {context.Interface} {value}";

    public override string? Write(CheckContext context, string value) =>
        Parse(new Reading(value, null)) is not { } wanted ? $"\"{value}\" is no coalescing"
        : context.Nic is { } nic ? nic.SetCoalescing(wanted)
        : context.NoInterface;

    private static Judgement Choose(bool met, string should, NicCoalescing now, NicCoalescing wanted) =>
        new(met, should, Format(met ? now : wanted));

    private static string Format(NicCoalescing c) => $"adaptive-rx {(c.AdaptiveRx ? "on" : "off")} rx-usecs {c.RxUsecs} rx-frames {c.RxFrames}";

    private static NicCoalescing? Parse(Reading reading) =>
        reading.Words is ["adaptive-rx", var adaptive, "rx-usecs", var usecs, "rx-frames", var frames]
        && uint.TryParse(usecs, NumberStyles.None, CultureInfo.InvariantCulture, out uint u)
        && uint.TryParse(frames, NumberStyles.None, CultureInfo.InvariantCulture, out uint f)
            ? new NicCoalescing(adaptive == "on", u, f)
            : null;
}
