namespace Tunnel.Ctl.Check.Knobs;

/// <summary>A setting of the host that a check judges and that can be changed and changed back.</summary>
internal abstract class Knob
{
    /// <summary>As its finding is called.</summary>
    public abstract string Name { get; }

    /// <summary>What it is good for, in one clause.</summary>
    public abstract string Why { get; }

    /// <summary>What it is now, word for word, so that writing it back leaves no trace.</summary>
    public abstract Reading Read(CheckContext context);

    /// <summary>What it should be.</summary>
    public abstract Judgement Judge(CheckContext context, Reading now);

    /// <summary>The command with which a person would set it.</summary>
    public abstract string Command(CheckContext context, string value);

    /// <summary>Sets it; null when that was done, else why not.</summary>
    public abstract string? Write(CheckContext context, string value);

    /// <summary>Why a text can be no value of this knob, as far as its form tells; null when it may be one. The rest the kernel knows.</summary>
    public virtual string? Objection(Reading now, string value) => null;

    /// <summary>A value as people read it.</summary>
    public virtual string Show(CheckContext context, string value) => value;

    public Finding Look(CheckContext context)
    {
        Reading now = Read(context);
        Judgement judged = Judge(context, now);
        return judged.Problem is { } problem
            ? Finding.Unknown(Name, problem, Why)
            : Finding.Of(Name, judged.IsMet, Show(context, string.Join(' ', now.Words)), Show(context, judged.Should), Why, Command(context, judged.Set));
    }
}
