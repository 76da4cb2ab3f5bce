using Tunnel.App.Diagnostics.Profiles;
using Tunnel.App.Diagnostics.Profiles.Pprof;

namespace Tunnel.Ctl.Profiling;

/// <summary>One recording, from the file's opening to the table.</summary>
/// <param name="source">Whose.</param>
/// <param name="duration">For how long.</param>
/// <param name="format">What is written.</param>
/// <param name="file">Where; null for a name made of the source's.</param>
/// <param name="force">Overwrite it.</param>
/// <param name="json">Print JSON instead of a table.</param>
internal sealed class ProfileRun(IProfileSource source, TimeSpan duration, ProfileFormat format, string? file, bool force, bool json)
{
    /// <summary>For what follows the recording: a busy process tells the names of its methods, and the way may be slow.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private readonly string _file = file ?? $"tunnel-{source.ShortName}{format.Ending()}";

    /// <returns>The exit code.</returns>
    public async Task<int> RunAsync(CancellationToken cancel)
    {
        try
        {
            using var late = CancellationTokenSource.CreateLinkedTokenSource(cancel);
            late.CancelAfter(duration + Patience);
            StackProfile profile = await RecordAsync(late.Token).ConfigureAwait(false);
            if (json)
                ProfileReport.PrintJson(profile, _file, Console.OpenStandardOutput());
            else
                ProfileReport.Print(profile, _file, Console.Out);
            return 0;
        }
        catch (OperationCanceledException)
        {
            string why = cancel.IsCancellationRequested ? "given up" : $"{source.Name} does not answer (is it stopped?)";
            return Fail($"{why}; nothing was written");
        }
        catch (Exception e) when (e is ProfilerException or IOException or UnauthorizedAccessException)
        {
            return Fail(e.Message);
        }
    }

    /// <summary>
    /// Into a file beside it first: what is there is overwritten by a whole profile, or not at all. Opened before the recording, so
    /// that nobody waits for one that cannot be written.
    /// </summary>
    private async Task<StackProfile> RecordAsync(CancellationToken cancel)
    {
        if (File.Exists(_file) && !force)
            throw new ProfilerException($"{_file} is there already; --force overwrites it");
        if (Path.GetDirectoryName(_file) is { Length: > 0 } folder && !Directory.Exists(folder))
            throw new ProfilerException($"there is no folder {folder}");
        string unfinished = $"{_file}.{Environment.ProcessId}.part";
        try
        {
            StackProfile profile;
            await using (FileStream output = new(unfinished, FileMode.CreateNew, FileAccess.Write))
                profile = await WriteAsync(output, cancel).ConfigureAwait(false);
            File.Move(unfinished, _file, overwrite: force);
            return profile;
        }
        finally
        {
            File.Delete(unfinished);
        }
    }

    private async Task<StackProfile> WriteAsync(FileStream output, CancellationToken cancel)
    {
        using var progress = new ProfileProgress(source.Name, duration);
        bool asTrace = format == ProfileFormat.Nettrace;
        StackProfile profile = await source.ProfileAsync(duration, asTrace ? output : null, cancel).ConfigureAwait(false);
        if (format == ProfileFormat.Pprof)
            await output.WriteAsync(PprofWriter.Write(profile, source.Name), cancel).ConfigureAwait(false);
        else if (format == ProfileFormat.Speedscope)
            await output.WriteAsync(SpeedscopeWriter.Write(profile, source.Name), cancel).ConfigureAwait(false);
        return profile;
    }

    private static int Fail(string message)
    {
        Console.Error.WriteLine(message);
        return 1;
    }
}
