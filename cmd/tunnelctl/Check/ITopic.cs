namespace Tunnel.Ctl.Check;

/// <summary>A group of findings about one thing. Looks, and changes nothing.</summary>
internal interface ITopic
{
    /// <summary>One word, in JSON.</summary>
    string Topic { get; }

    /// <summary>The heading in the terminal.</summary>
    string Title { get; }

    /// <summary>Every name that a finding of this topic can have; each check has a finding for each.</summary>
    IReadOnlyList<string> Names { get; }

    Task<IReadOnlyList<Finding>> LookAsync(CheckContext context, CancellationToken cancel);
}

/// <summary>A topic that waits for nothing.</summary>
internal abstract class PromptTopic : ITopic
{
    public abstract string Topic { get; }

    public abstract string Title { get; }

    public abstract IReadOnlyList<string> Names { get; }

    public Task<IReadOnlyList<Finding>> LookAsync(CheckContext context, CancellationToken cancel) =>
        Task.FromResult<IReadOnlyList<Finding>>([.. Look(context)]);

    protected abstract IEnumerable<Finding> Look(CheckContext context);
}
